//! Certificates and keys in PEM files.

use std::path::Path;

use accelnet_model::{Code, Problem};
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a file, at least one.
///
/// # Errors
///
/// `certificate_unusable`: it cannot be read, or has none.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let all: Result<Vec<_>, Error> =
        CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(unusable(file, "There is no certificate in it.")),
        Err(error) => Err(unusable(file, &words(&error))),
    }
}

/// The private key of a file.
///
/// # Errors
///
/// `certificate_unusable`: it cannot be read, or has none.
pub fn key(file: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        let found = match &error {
            Error::NoItemsFound => {
                "There is no private key in it, or one with a passphrase.".to_owned()
            }
            other => words(other),
        };
        unusable(file, &found)
    })
}

/// A file that cannot be used, and what was found, a sentence.
pub fn unusable(file: &Path, found: &str) -> Problem {
    Problem::new(
        Code::CertificateUnusable,
        &[&file.display().to_string()],
        found,
    )
}

fn words(error: &Error) -> String {
    match error {
        Error::Io(error) => format!("It cannot be read: {error}."),
        other => format!("It is no PEM: {other}."),
    }
}
