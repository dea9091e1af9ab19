//! `accelnet agent --listen`: the remote API.

use std::net::SocketAddr;
use std::path::PathBuf;

use accelnet_api::server::{Files, RemoteOptions};
use clap::Args as ClapArgs;

/// Options of the remote API.
#[derive(Debug, ClapArgs)]
pub struct Remote {
    /// Also listen at ADDR:PORT, with mutual TLS
    #[arg(
        long,
        value_name = "ADDR:PORT",
        requires_all = ["tls_cert", "tls_key", "tls_client_ca"],
        long_help = "Also listen at ADDR:PORT, with mutual TLS. A client needs a certificate whose subject names a role: OU=accelnet-reader, OU=accelnet-operator or OU=accelnet-administrator. Changed files apply to new connections without a restart."
    )]
    pub listen: Option<SocketAddr>,
    /// Certificate of the agent (PEM)
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_key: Option<PathBuf>,
    /// CAs of client certificates (PEM)
    #[arg(long, value_name = "FILE", requires = "listen")]
    pub tls_client_ca: Option<PathBuf>,
    /// Revocation lists (CRLs) of these CAs (PEM)
    #[arg(
        long,
        value_name = "FILE",
        requires = "listen",
        long_help = "Revocation lists (CRLs) of these CAs (PEM). A certificate on a list is refused, and an open connection with it ends at its next request. A changed file applies without a restart."
    )]
    pub tls_client_crl: Option<PathBuf>,
}

impl Remote {
    /// The options, if --listen is given.
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
