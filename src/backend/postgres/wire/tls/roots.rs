//! The certificates of authorities, and the lists of what they revoked.

use super::faults::setting;
use crate::error::{Error, Result};
use crate::url::RootCertificates;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use std::path::Path;
use std::sync::OnceLock;

/// The certificates of authorities.
pub(super) fn load(roots: &RootCertificates) -> Result<Vec<CertificateDer<'static>>> {
    match roots {
        RootCertificates::File(path) => load_file(path),
        RootCertificates::System => of_the_system(),
    }
}

fn load_file(path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) => Err(setting(&format!("{} holds no certificate in PEM", path.display()))
            .with_hint("sslrootcert names the file of the authority's certificate")),
        Err(error) => {
            Err(setting(&format!("the root certificates in {}: {error}", path.display()))
                .with_hint(
                    "sslrootcert names the file of the authority's certificate, or is system",
                ))
        }
    }
}

/// Read once: there are more than a hundred.
fn of_the_system() -> Result<Vec<CertificateDer<'static>>> {
    static ROOTS: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    if let Some(roots) = ROOTS.get() {
        return Ok(roots.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    if found.certs.is_empty() {
        let reason = found.errors.first().map_or_else(String::new, |error| format!(": {error}"));
        return Err(no_system_roots(&reason));
    }
    Ok(ROOTS.get_or_init(|| found.certs).clone())
}

fn no_system_roots(reason: &str) -> Error {
    setting(&format!("the system has no root certificates{reason}")).with_hint(
        "install them (ca-certificates), or name the file of the authority's certificate by \
         sslrootcert",
    )
}

/// Lists of certificates that were revoked.
pub(super) fn load_revoked(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>> {
    let read = CertificateRevocationListDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(lists) if !lists.is_empty() => Ok(lists),
        Ok(_) => Err(setting(&format!("{} holds no revocation list in PEM", path.display()))),
        Err(error) => Err(setting(&format!("the revocation lists in {}: {error}", path.display()))),
    }
}
