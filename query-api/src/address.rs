//! Mail addresses: whether a text is one, and the form that makes it unique. An address never stands in an error.

use unicode_normalization::UnicodeNormalization;

use crate::problem::Problem;

/// The longest address, in bytes (RFC 5321, section 4.5.3.1.3).
const BYTES_MAX: usize = 254;

/// The longest part before the `@`, in bytes (RFC 5321, section 4.5.3.1.1).
const LOCAL_BYTES_MAX: usize = 64;

/// An address.
pub(crate) struct Address {
    /// As given, trimmed.
    pub(crate) text: String,
    /// Trimmed, NFC, domain in lower case.
    pub(crate) key: String,
}

/// Checks an address. Strict on purpose: what a mail server may refuse is not stored.
pub(crate) fn check(text: &str) -> Result<Address, Problem> {
    let wrong = |detail: &str| Problem::field("email", detail);
    let text: String = text.trim().nfc().collect();
    if text.len() > BYTES_MAX {
        return Err(wrong("is longer than 254 bytes"));
    }
    let Some((local, domain)) = text.rsplit_once('@') else {
        return Err(wrong("is no address: it has no `@`"));
    };
    let is_local = !local.is_empty()
        && local.len() <= LOCAL_BYTES_MAX
        && !local.starts_with('.')
        && !local.ends_with('.')
        && !local.contains("..")
        && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    if !is_local {
        return Err(wrong("is no address: the part before the `@` is none"));
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    };
    if !domain.split('.').all(is_label) {
        return Err(wrong("is no address: the part behind the `@` is no domain"));
    }
    let key = format!("{local}@{}", domain.to_lowercase());
    Ok(Address { text, key })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_are_told_from_what_is_none() {
        for text in [
            "anna@plant.example",
            " a.b+c@X.example ",
            "o'neil@a-b.example",
            "ana@españa.example",
            "a@localhost",
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "anna",
            "@plant.example",
            "anna@",
            "a b@plant.example",
            "a@b@",
            ".a@b.example",
            "a..b@b.example",
            "a@b..example",
            "a@-b.example",
            "a\r\nBcc: x@b.example",
            "a@b.example\0",
            "<a@b.example>",
        ] {
            assert!(check(text).is_err(), "{text:?}");
        }
        assert!(check(&format!("{}@b.example", "a".repeat(65))).is_err());
        assert!(check(&format!("a@{}.example", "b".repeat(250))).is_err());
    }

    #[test]
    fn the_unique_form_ignores_the_case_of_the_domain_alone() {
        let key = |text: &str| check(text).ok().map(|address| address.key);
        assert_eq!(key(" Anna@PLANT.Example"), key("Anna@plant.example"));
        assert_ne!(key("Anna@plant.example"), key("anna@plant.example"));
        assert_eq!(key("jose\u{301}@a.example"), key("jos\u{e9}@a.example"));
    }

    /// Short texts of whatever could be mistaken, and long domains of whatever grows when it is written in ASCII.
    const ODD: &str = "[a-zA-Z0-9.+'\\-_é½²Ａßİ٣漢\u{301}\u{200d}]{1,6}@[a-zA-Z0-9.\\-_é½²Ａßİ٣漢\u{301}\u{200d}\\[\\]:]{1,8}";
    const LONG: &str = "[a-zé]{1,64}@[一-龥Ａ-Ｚ가-힣à-ÿ½²İ]{1,21}(\\.[一-龥à-ÿ0-9a-z]{1,21}){0,3}";

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Else somebody would be told that they follow a line, and never get a mail.
        #[test]
        fn whatever_is_taken_is_an_address_to_the_mailer(text in prop_oneof![ODD, LONG]) {
            if let Ok(address) = check(&text) {
                prop_assert!(address.text.parse::<lettre::Address>().is_ok(), "{}", address.text);
            }
        }
    }
}
