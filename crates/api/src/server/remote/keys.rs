//! The listener's certificates and key: read again when their files change.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accelnet_model::Problem;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, VerifierBuilderError, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{RootCertStore, ServerConfig};
use tokio::sync::watch;

use super::verifier::WithRole;
use crate::pem;
use crate::server::refusals::Refusals;
use crate::types::EventKind;

/// The PEM files of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// Certificate of this agent, and those between it and its CA.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The CAs whose certificates are accepted.
    pub client_ca: PathBuf,
    /// Certificates of these CAs that are no longer accepted: their revocation lists.
    pub client_crl: Option<PathBuf>,
}

/// That the files changed, and whether what is in them now can be used.
pub type Change = Result<(), Problem>;

/// What is in the files, for every connection.
#[derive(Debug, Clone)]
pub struct Keys {
    files: Files,
    newest: Arc<Mutex<Newest>>,
    /// Changes with what is used.
    renewed: watch::Sender<u64>,
}

#[derive(Debug)]
struct Newest {
    stamps: Stamps,
    used: Used,
}

/// What connections use.
#[derive(Debug, Clone)]
pub struct Used {
    /// How often the files were read again before this.
    pub times: u64,
    /// Of TLS.
    pub config: Arc<ServerConfig>,
    /// Who is accepted.
    verifier: Arc<dyn ClientCertVerifier>,
}

impl Used {
    /// Whether the client that showed these certificates would be accepted now.
    ///
    /// # Errors
    ///
    /// The reason.
    pub fn lets_in(&self, shown: &[CertificateDer<'_>]) -> Result<(), rustls::Error> {
        let [own, between @ ..] = shown else {
            return Err(rustls::Error::NoCertificatesPresented);
        };
        let verified = self
            .verifier
            .verify_client_cert(own, between, UnixTime::now());
        verified.map(drop)
    }
}

type Stamps = [Option<Stamp>; 4];

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
    fn stamps(&self) -> Stamps {
        let crl = self.client_crl.as_deref().and_then(Stamp::of);
        let [cert, key, ca] = [&self.cert, &self.key, &self.client_ca].map(|file| Stamp::of(file));
        [cert, key, ca, crl]
    }

    /// Accepted are certificates of a CA that are not on its revocation list. A CA
    /// without a list has revoked nothing, and a list that is over is better than none.
    fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, Problem> {
        let mut trusted = RootCertStore::empty();
        for certificate in pem::certificates(&self.client_ca)? {
            trusted.add(certificate).map_err(|error| {
                pem::unusable(&self.client_ca, &format!("It is no CA: {error}."))
            })?;
        }
        let provider = Arc::new(default_provider());
        let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
        let (builder, lists) = match &self.client_crl {
            None => (builder, &self.client_ca),
            Some(file) => {
                let lists = pem::revocation_lists(file)?;
                let builder = builder.with_crls(lists).allow_unknown_revocation_status();
                (builder, file)
            }
        };
        let verifier = builder.build().map_err(|error| match error {
            VerifierBuilderError::InvalidCrl(error) => pem::unusable(
                lists,
                &format!("It is no revocation list that can be used: {error:?}."),
            ),
            other => pem::unusable(&self.client_ca, &format!("{other}.")),
        })?;
        Ok(Arc::new(WithRole(verifier)))
    }

    /// # Errors
    ///
    /// `certificate_unusable`, of the file that is in the way.
    fn used(&self, times: u64) -> Result<Used, Problem> {
        let verifier = self.verifier()?;
        let certificates = pem::certificates(&self.cert)?;
        let key = pem::key(&self.key)?;
        let unusable = |error: rustls::Error| match error {
            rustls::Error::InconsistentKeys(_) => pem::unusable(
                &self.key,
                &format!("It is not the key of {}.", self.cert.display()),
            ),
            other => pem::unusable(&self.cert, &format!("{other}.")),
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_client_cert_verifier(verifier.clone())
            .with_single_cert(certificates, key)
            .map_err(unusable)?;
        // Each connection shows its certificate: one that has expired since is not accepted.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Used {
            times,
            config: Arc::new(config),
            verifier,
        })
    }
}

impl Keys {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// `certificate_unusable`.
    pub fn read(files: &Files) -> Result<Self, Problem> {
        let stamps = files.stamps();
        let used = files.used(0)?;
        Ok(Keys {
            files: files.clone(),
            newest: Arc::new(Mutex::new(Newest { stamps, used })),
            renewed: watch::Sender::new(0),
        })
    }

    /// What is used now. Changed files are read again; what cannot be used leaves what is there.
    pub fn newest(&self) -> (Used, Option<Change>) {
        let now = self.files.stamps();
        let mut newest = self.lock();
        if now == newest.stamps {
            return (newest.used.clone(), None);
        }
        newest.stamps = now;
        let times = newest.used.times + 1;
        let change = self.files.used(times).map(|used| {
            newest.used = used;
            self.renewed.send_replace(times);
        });
        (newest.used.clone(), Some(change))
    }

    /// Waits until the files were read again more than so many `times`.
    pub async fn is_renewed(&self, times: u64) {
        let mut renewed = self.renewed.subscribe();
        drop(renewed.wait_for(|now| *now != times).await);
    }

    fn lock(&self) -> MutexGuard<'_, Newest> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Records a change of the files.
pub(super) async fn record(change: Option<Change>, refusals: &Arc<Refusals>) {
    match change {
        None => {}
        Some(Ok(())) => {
            let words = "The certificates were read again: new connections use them.";
            refusals
                .noted(EventKind::Noticed, words.to_owned(), None)
                .await;
        }
        Some(Err(problem)) => {
            let words = format!(
                "The certificates changed and cannot be used, so those before are: {} {}",
                problem.message, problem.found
            );
            refusals
                .noted(EventKind::Failed, words, Some(problem.code))
                .await;
        }
    }
}
