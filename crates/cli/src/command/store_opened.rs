//! The store that a command works on: the one of this node's agent, or another.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::problems::store_failed;
use accelnet_agent::run::remembered_beside;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};
use accelnet_store::{Embedded, History, Store, StoreError};

use super::{etcd, service};
use crate::args::{Place, REMEMBERED, WhichStore};
use crate::session::Session;

/// The store of a machine on its own.
const OWN: &str = "/var/lib/accelnet/store";

/// A store, and what belongs to it.
pub struct Opened {
    /// It.
    pub store: Arc<dyn Store>,
    /// What it is called.
    pub name: String,
    /// Where the agent keeps what it read last of it.
    pub last_read: PathBuf,
}

/// What to do with a file that is not there, or is damaged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Refuse.
    Refuse,
    /// Make a new one; a damaged one is moved away.
    Make,
}

/// Opens the given store.
///
/// # Errors
///
/// It cannot be opened.
pub fn open(
    which: &WhichStore,
    missing: Missing,
    session: &mut Session<'_>,
) -> Result<Opened, Problem> {
    is_for_an_etcd(which)?;
    let own = match &which.store {
        None => service::settings(session.system)?
            .map(|settings| (Place::Etcd(settings.store), settings.tls)),
        Some(store) => Some((store.clone(), which.tls.clone())),
    };
    let (place, tls) = own.unwrap_or_else(|| (Place::File(PathBuf::from(OWN)), which.tls.clone()));
    match place {
        Place::Etcd(address) => Ok(Opened {
            store: etcd::open(&address, &tls)?,
            name: address.to_string(),
            last_read: PathBuf::from(REMEMBERED),
        }),
        Place::File(path) => {
            let store = file(&path, missing, session)?;
            Ok(Opened {
                store: Arc::new(store),
                name: path.display().to_string(),
                last_read: remembered_beside(&path),
            })
        }
    }
}

/// Refuses certificates that nothing would use.
fn is_for_an_etcd(which: &WhichStore) -> Result<(), Problem> {
    let found = match &which.store {
        _ if which.tls.words().is_empty() => return Ok(()),
        Some(Place::Etcd(_)) => return Ok(()),
        Some(Place::File(path)) => format!("the store is the file {}", path.display()),
        None => "no etcd is given, so the settings of this node's agent apply".to_owned(),
    };
    let found =
        format!("--store-ca, --store-cert and --store-key are options of an etcd; {found}.");
    Err(Problem::new(Code::BadRequest, &[], found)
        .resolution("Omit these options, or add --store etcd://HOST:PORT."))
}

/// What to do about a file that is no store.
const OTHER_STORE: &str =
    "Use --store with the file of the agent's store, or with etcd://HOST:PORT.";

fn file(path: &Path, missing: Missing, session: &mut Session<'_>) -> Result<Embedded, Problem> {
    if !path.exists() && missing == Missing::Refuse {
        let found = format!("{}: no such file.", path.display());
        return Err(Problem::new(Code::StoreFailed, &[], found).resolution(OTHER_STORE));
    }
    if path.is_dir() {
        let found = format!("{} is a folder.", path.display());
        return Err(Problem::new(Code::StoreFailed, &[], found).resolution(OTHER_STORE));
    }
    let open = || Embedded::open(path, History::default(), || SystemClock.uptime());
    let opened = match open() {
        Err(StoreError::Corrupt { .. }) if missing == Missing::Make => {
            let aside = beside(path, &format!(".damaged-{}", seconds()));
            session.print(&format!("move the damaged file to {}\n", aside.display()));
            session.changed = true;
            fs::rename(path, &aside).map_err(|error| {
                let found = format!("It failed to move {}: {error}.", path.display());
                Problem::new(Code::StoreFailed, &[], found)
            })?;
            open()
        }
        other => other,
    };
    opened.map_err(|error| match error {
        StoreError::Held { .. } => store_failed(&error).resolution(
            "Stop the agent of this node ('systemctl stop accelnet'), run the same command again, and \
             start it ('systemctl start accelnet'). VMs and VFs remain unchanged.",
        ),
        StoreError::Corrupt { .. } => store_failed(&error).resolution(
            "If it is the agent's store, restore a backup with 'accelnet store restore FILE'. Otherwise use --store with \
             the file of the agent's store, or with etcd://HOST:PORT.",
        ),
        StoreError::NotPrivate { .. } => store_failed(&error).resolution(OTHER_STORE),
        StoreError::Io { ref source, .. } if source.kind() == ErrorKind::PermissionDenied => {
            store_failed(&error).resolution("Run the same command as root.")
        }
        error => store_failed(&error),
    })
}

impl Opened {
    /// What this node's agent read last of it, if anything.
    pub fn last_read(&self) -> Option<Backup> {
        Backup::read(&fs::read(&self.last_read).ok()?).ok()
    }
}

/// The path of a file beside another one.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// The time, in seconds.
#[expect(
    clippy::disallowed_methods,
    reason = "what keeps two restores of one backup apart is the time itself"
)]
pub fn seconds() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}

/// Writes a backup to a file that only its owner can read.
///
/// # Errors
///
/// The kernel refuses.
pub fn write(file: &Path, backup: &Backup) -> Result<(), Problem> {
    let failed = |error: String| {
        let found = format!("It failed to write {}: {error}.", file.display());
        Problem::new(Code::StoreFailed, &[], found)
    };
    let text = serde_json::to_string_pretty(backup).map_err(|error| failed(error.to_string()))?;
    let whole = std::path::absolute(file).map_err(|error| failed(error.to_string()))?;
    let new = beside(&whole, ".new");
    let put = accelnet_host::put::put(&whole, &new, &text, 0o600);
    put.map(drop).map_err(|error| failed(error.to_string()))
}
