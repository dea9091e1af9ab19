//! Which store: a file, or an etcd.

use std::fmt;
use std::path::PathBuf;

use accelnet_agent::StoreChoice;
use accelnet_model::{Code, Problem};
use accelnet_store::{ClientIdentity, EtcdAddress, EtcdTls};
use clap::Args as ClapArgs;

/// File of the last state that an agent read from an etcd.
pub const REMEMBERED: &str = "/var/lib/accelnet/last-read";

/// A store.
#[derive(Debug, Clone, ClapArgs)]
pub struct StoreArgs {
    /// File of the embedded store, or an etcd (etcd://HOST:PORT,HOST:PORT/PREFIX)
    #[arg(
        long,
        value_name = "STORE",
        default_value = "/var/lib/accelnet/store",
        value_parser = place
    )]
    pub store: Place,
    /// How an etcd is reached
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Where to keep what was last read of an etcd, for a start without it
    #[arg(long, value_name = "FILE", default_value = REMEMBERED, hide = true)]
    pub remembered: PathBuf,
}

/// How an etcd is reached.
#[derive(Debug, Clone, ClapArgs)]
pub struct TlsArgs {
    /// Connect to etcd with TLS, and trust the CAs in FILE (PEM)
    #[arg(long, value_name = "FILE")]
    pub store_ca: Option<PathBuf>,
    /// Client certificate for etcd (PEM)
    #[arg(long, value_name = "FILE", requires_all = ["store_ca", "store_key"])]
    pub store_cert: Option<PathBuf>,
    /// Private key of the client certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "store_cert")]
    pub store_key: Option<PathBuf>,
}

/// A file or an etcd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An etcd.
    Etcd(EtcdAddress),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => path.display().fmt(f),
            Place::Etcd(address) => address.fmt(f),
        }
    }
}

pub(super) fn place(text: &str) -> Result<Place, String> {
    if EtcdAddress::is_etcd(text) {
        return text.parse().map(Place::Etcd);
    }
    // A file of that name would be made, in whatever folder this runs.
    match text.split_once(':') {
        Some((before, _)) if !before.contains('/') => Err(format!(
            "'{before}:' begins neither a path nor the address of an etcd; give the path of a file \
             (/var/lib/accelnet/store, or ./{text} if that is meant) or etcd://HOST:PORT"
        )),
        _ => Ok(Place::File(PathBuf::from(text))),
    }
}

impl TlsArgs {
    /// The words that stand for them on the agent's command line.
    pub fn words(&self) -> Vec<String> {
        let all = [
            ("--store-ca", &self.store_ca),
            ("--store-cert", &self.store_cert),
            ("--store-key", &self.store_key),
        ];
        let given = all.into_iter().filter_map(|(name, file)| {
            let file = file.as_ref()?;
            Some([name.to_owned(), file.display().to_string()])
        });
        given.flatten().collect()
    }

    /// The files, if TLS is meant.
    pub fn files(&self) -> Option<EtcdTls> {
        let identity = self.store_cert.clone().zip(self.store_key.clone());
        Some(EtcdTls {
            authorities: self.store_ca.clone()?,
            identity: identity.map(|(certificate, key)| ClientIdentity { certificate, key }),
        })
    }
}

impl StoreArgs {
    /// What the agent is told.
    ///
    /// # Errors
    ///
    /// Certificates were given for a file.
    pub fn choice(&self) -> Result<StoreChoice, Problem> {
        match &self.store {
            Place::File(path) if self.tls.files().is_some() => {
                let found = format!(
                    "--store-ca is an option of an etcd; the store is the file {}.",
                    path.display()
                );
                Err(Problem::new(Code::BadRequest, &[], found)
                    .resolution("Omit --store-ca, or set --store to an etcd."))
            }
            Place::File(path) => Ok(StoreChoice::File(path.clone())),
            Place::Etcd(address) => Ok(StoreChoice::Etcd {
                address: address.clone(),
                tls: self.tls.files(),
                remembered: self.remembered.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
