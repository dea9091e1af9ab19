//! Certificates and keys in PEM files.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use accelnet_model::{Code, Problem};
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};

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
        Ok(_) => Err(unusable(file, "It contains no certificate.")),
        Err(error) => Err(unusable(file, &words(&error))),
    }
}

/// The revocation lists of a file, at least one.
///
/// # Errors
///
/// `certificate_unusable`: it cannot be read, or has none.
pub fn revocation_lists(
    file: &Path,
) -> Result<Vec<CertificateRevocationListDer<'static>>, Problem> {
    let all: Result<Vec<_>, Error> =
        CertificateRevocationListDer::pem_file_iter(file).and_then(Iterator::collect);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(unusable(file, "It contains no revocation list.")),
        Err(error) => Err(unusable(file, &words(&error))),
    }
}

/// What other users may do with a file, as bits of its mode: the group may read a key, no other user may.
const OTHERS: u32 = 0o027;

/// Whether only its owner, root and its group can read the key in a file, and only the
/// first two can replace it.
fn is_kept(file: &Path) -> Result<(), Problem> {
    let Ok(there) = fs::metadata(file) else {
        // The reader reports why it cannot.
        return Ok(());
    };
    let own = rustix::process::geteuid().as_raw();
    if ![0, own].contains(&there.uid()) {
        let found = format!(
            "It belongs to the user {}, who can read and replace it.",
            there.uid()
        );
        return Err(unusable(file, &found)
            .needed("A key that is owned by its user or by root.")
            .resolution(format!("chown {own} {0} && chmod 600 {0}", file.display())));
    }
    match there.mode() & OTHERS {
        0 => Ok(()),
        _ => {
            let found = format!(
                "Its mode is {:04o}: other users can read or replace the key.",
                there.mode() & 0o7777
            );
            Err(unusable(file, &found)
                .needed(
                    "A key that only its owner can write, and only its owner and group can read.",
                )
                .resolution(format!(
                    "Run 'chmod 600 {}'. If others had access to the file, create a new key.",
                    file.display()
                )))
        }
    }
}

/// The private key of a file.
///
/// # Errors
///
/// `certificate_unusable`: it cannot be read, has none, or others can read it.
pub fn key(file: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    is_kept(file)?;
    PrivateKeyDer::from_pem_file(file).map_err(|error| {
        let found = match &error {
            Error::NoItemsFound => {
                "It contains no private key, or one with a passphrase.".to_owned()
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
