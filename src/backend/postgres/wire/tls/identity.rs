//! The certificate of the client and its key.

use super::faults::setting;
use crate::error::{Error, Result};
use crate::url::ClientCertificate;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::fs;
use std::path::Path;

/// The chain of the certificate, and its key.
pub(super) fn load(
    files: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let shown = files.certificate.display();
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| setting(&format!("the client certificate in {shown}: {error}")))?;
    if chain.is_empty() {
        return Err(setting(&format!("{shown} holds no certificate in PEM")));
    }
    check_owner(&files.key)?;
    Ok((chain, load_key(&files.key)?))
}

/// The text of the library's error is not repeated: it is about the content of the file.
fn load_key(path: &Path) -> Result<PrivateKeyDer<'static>> {
    let shown = path.display();
    let text = fs::read(path)
        .map_err(|error| setting(&format!("the key of the client in {shown}: {error}")))?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(&text) => {
            setting(&format!("the key of the client in {shown} is encrypted"))
                .with_hint("decrypt it into a file of mode 600 (openssl pkey)")
        }
        _ => setting(&format!("{shown} holds no private key in PEM")),
    })
}

fn is_encrypted(text: &[u8]) -> bool {
    let label = b"BEGIN ENCRYPTED PRIVATE KEY";
    text.windows(label.len()).any(|window| window == label)
}

/// The key does not go with the certificate, or is of no kind that is known.
pub(super) fn unusable(files: &ClientCertificate, error: &rustls::Error) -> Error {
    let (certificate, key) = (files.certificate.display(), files.key.display());
    let what = match error {
        rustls::Error::InconsistentKeys(_) => "do not belong together",
        _ => "cannot be used",
    };
    setting(&format!("the client certificate {certificate} and the key {key} {what}"))
}

/// As libpq has it: nobody else may read the key; root's own may be readable for a group.
#[cfg(unix)]
fn check_owner(path: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(path).map_err(|error| {
        setting(&format!("the key of the client in {}: {error}", path.display()))
    })?;
    let forbidden = if about.uid() == 0 { 0o037 } else { 0o077 };
    if about.mode() & forbidden != 0 {
        return Err(setting(&format!("others can read the key {}", path.display()))
            .with_hint("chmod 600 it"));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_: &Path) -> Result<()> {
    Ok(())
}
