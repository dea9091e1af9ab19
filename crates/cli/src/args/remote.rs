//! `accelnet agent --listen`: the door to the network.

use std::net::SocketAddr;
use std::path::PathBuf;

use accelnet_api::server::{Files, RemoteOptions};
use clap::Args as ClapArgs;

/// How an agent answers from afar.
#[derive(Debug, ClapArgs)]
pub struct Remote {
    /// Answer with mutual TLS at ADDR:PORT, too
    #[arg(
        long,
        value_name = "ADDR:PORT",
        requires_all = ["tls_cert", "tls_key", "tls_client_ca"],
        long_help = "Answer with mutual TLS at ADDR:PORT, too. Whoever connects needs a certificate \
            whose subject names a role: OU=accelnet-reader, OU=accelnet-operator or \
            OU=accelnet-administrator. Changed files are used for new connections without a restart."
    )]
    pub listen: Option<SocketAddr>,
    /// Certificate that is shown to clients, as PEM
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_cert: Option<PathBuf>,
    /// Its private key, as PEM
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_key: Option<PathBuf>,
    /// CAs whose certificates let clients in, as PEM
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_client_ca: Option<PathBuf>,
    /// Revocation lists (CRLs) of these CAs, as PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "listen",
        long_help = "Revocation lists (CRLs) of these CAs, as PEM. A certificate on a list is refused, and an open \
            connection with it ends at its next request. A changed file is used without a restart."
    )]
    pub tls_client_crl: Option<PathBuf>,
}

impl Remote {
    /// What is asked for, if anything is.
    pub fn options(&self) -> Option<RemoteOptions> {
        Some(RemoteOptions {
            listen: self.listen?,
            files: Files {
                cert: self.tls_cert.clone()?,
                key: self.tls_key.clone()?,
                client_ca: self.tls_client_ca.clone()?,
                client_crl: self.tls_client_crl.clone(),
            },
        })
    }
}
