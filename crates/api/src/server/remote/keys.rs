//! The door's certificates and key: read anew when their files change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_model::Problem;
use rustls::crypto::ring::default_provider;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};

use super::verifier::WithRole;
use crate::pem;

/// The PEM files of the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Certificate of this agent, and those between it and its CA.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The CAs whose certificates let somebody in.
    pub client_ca: PathBuf,
}

/// That the files changed, and whether what is in them now can be used.
pub type Change = Result<(), Problem>;

/// What is in the files.
#[derive(Debug)]
pub struct Keys {
    files: Files,
    seen: [Option<Stamp>; 3],
    config: Arc<ServerConfig>,
}

/// What changes with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds.
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Path) -> Option<Self> {
        let there = fs::metadata(file).ok()?;
        Some(Stamp {
            inode: there.ino(),
            bytes: there.size(),
            changed: (there.ctime(), there.ctime_nsec()),
        })
    }
}

impl Files {
    fn stamps(&self) -> [Option<Stamp>; 3] {
        [&self.cert, &self.key, &self.client_ca].map(|file| Stamp::of(file))
    }

    /// # Errors
    ///
    /// `certificate_unusable`, of the file that is in the way.
    fn config(&self) -> Result<ServerConfig, Problem> {
        let provider = Arc::new(default_provider());
        let mut trusted = RootCertStore::empty();
        for certificate in pem::certificates(&self.client_ca)? {
            trusted.add(certificate).map_err(|error| {
                pem::unusable(&self.client_ca, &format!("It is no CA: {error}."))
            })?;
        }
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider.clone())
                .build()
                .map_err(|error| pem::unusable(&self.client_ca, &format!("{error}.")))?;
        let certificates = pem::certificates(&self.cert)?;
        let key = pem::key(&self.key)?;
        let unusable = |error: rustls::Error| match error {
            rustls::Error::InconsistentKeys(_) => pem::unusable(
                &self.key,
                &format!("It is not the key of {}.", self.cert.display()),
            ),
            other => pem::unusable(&self.cert, &format!("{other}.")),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_client_cert_verifier(Arc::new(WithRole(verifier)))
            .with_single_cert(certificates, key)
            .map_err(unusable)?;
        // Each connection shows its certificate: one that has expired since is not let in.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

impl Keys {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// `certificate_unusable`.
    pub fn read(files: &Files) -> Result<Self, Problem> {
        let seen = files.stamps();
        let config = Arc::new(files.config()?);
        Ok(Keys {
            files: files.clone(),
            seen,
            config,
        })
    }

    /// What new connections use.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }

    /// Reads the files again if they changed; what cannot be used leaves what is there.
    pub fn refresh(&mut self) -> Option<Change> {
        let now = self.files.stamps();
        if now == self.seen {
            return None;
        }
        self.seen = now;
        Some(self.files.config().map(|config| {
            self.config = Arc::new(config);
        }))
    }
}
