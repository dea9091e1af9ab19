//! Who an etcd must be, and who its client is: files in PEM.

use std::path::{Path, PathBuf};

use etcd_client::{Certificate, Identity, TlsOptions};

use crate::StoreError;

/// Files for TLS. Each is read when the store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdTls {
    /// Certificates of the authorities that etcd's certificate must come from.
    pub authorities: PathBuf,
    /// The client's certificate and key, where etcd asks for one.
    pub identity: Option<ClientIdentity>,
}

/// A client's certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl EtcdTls {
    pub(super) fn read(&self) -> Result<TlsOptions, StoreError> {
        let authorities = pem(&self.authorities, "CERTIFICATE")?;
        let options = TlsOptions::new().ca_certificate(Certificate::from_pem(authorities));
        let Some(identity) = &self.identity else {
            return Ok(options);
        };
        let certificate = pem(&identity.certificate, "CERTIFICATE")?;
        let key = pem(&identity.key, "PRIVATE KEY")?;
        Ok(options.identity(Identity::from_pem(certificate, key)))
    }
}

/// A file in PEM with a block of that label.
fn pem(path: &Path, label: &str) -> Result<Vec<u8>, StoreError> {
    let wrong = |found: String| StoreError::EtcdSettings {
        found: format!("{}: {found}", path.display()),
    };
    let bytes = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    let text = String::from_utf8_lossy(&bytes);
    let begins = |line: &str| {
        let label_of = line.trim().strip_prefix("-----BEGIN ");
        label_of.is_some_and(|rest| rest.trim_end_matches('-').ends_with(label))
    };
    match text.lines().any(begins) {
        true => Ok(bytes),
        false => Err(wrong(format!("it has no {label} in PEM"))),
    }
}
