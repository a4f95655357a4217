//! Whom we trust. Certificates are always checked, against the system's and those of an own authority.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

use super::fault::Fault;
use super::{Encryption, SmtpOpenError};

/// The configuration of TLS 1.2 and 1.3 that trusts the system's certificates and those in `ca_file`.
///
/// # Errors
/// The file holds no certificate, or there is none to trust at all.
pub(super) fn client(
    ca_file: Option<&Path>,
    encryption: Encryption,
) -> Result<Arc<ClientConfig>, SmtpOpenError> {
    let mut roots = RootCertStore::empty();
    // Of the system's, some may be of a kind that nobody uses: what can be read counts.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let refused = |why: String| SmtpOpenError::CaFile { path: path.to_owned(), why };
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| refused(error.to_string()))?;
        if certificates.is_empty() {
            return Err(refused("it holds no certificate".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| refused(error.to_string()))?;
        }
    }
    if roots.is_empty() && encryption != Encryption::None {
        return Err(SmtpOpenError::NobodyTrusted);
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring does TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// What a failed handshake was about. The error of rustls names what is in the certificate; these words do not.
pub(super) fn fault(error: io::Error) -> Fault {
    let Some(rustls::Error::InvalidCertificate(why)) =
        error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>())
    else {
        return Fault::Handshake(error);
    };
    Fault::Certificate(match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "it has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => "it is not valid yet",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another host than the one set"
        }
        CertificateError::UnknownIssuer | CertificateError::BadSignature => "nobody we trust has issued it",
        CertificateError::Revoked => "it is revoked",
        _ => "it is not well formed, or not for a server",
    })
}
