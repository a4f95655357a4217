//! Addresses in letters outside ASCII. A domain has an ASCII form that every server takes; what stands before the `@`
//! has none, and travels only where SMTPUTF8 is spoken (RFC 6531).

use lettre::Address;

/// The address with its domain in ASCII. None where the domain has no such form.
pub(crate) fn with_ascii_domain(address: &Address) -> Option<Address> {
    if address.domain().is_ascii() {
        return Some(address.clone());
    }
    let domain = idna::domain_to_ascii(address.domain()).ok()?;
    Address::new(address.user(), domain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_becomes_ascii_and_the_rest_stays() {
        let rows = [
            ("ana@plant.example", "ana@plant.example"),
            ("ana@planta.españa.example", "ana@planta.xn--espaa-rta.example"),
            ("josé@fábrica.example", "josé@xn--fbrica-pta.example"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
        ];
        for (given, wanted) in rows {
            let address = with_ascii_domain(&given.parse().unwrap()).unwrap();
            assert_eq!(address.to_string(), wanted);
        }
    }
}
