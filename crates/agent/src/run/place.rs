//! The store of an agent.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use accelnet_host::SystemClock;
use accelnet_model::Problem;
use accelnet_store::{Etcd, EtcdAddress, EtcdTls, Store};

use crate::cluster::{Link, Linked};
use crate::problems::failed;
use crate::reopened::Reopened;

/// Which store an agent uses.
#[derive(Debug, Clone)]
pub enum StoreChoice {
    /// A file, for a cluster of one.
    File(PathBuf),
    /// An etcd, shared with other agents.
    Etcd {
        /// Its address.
        address: EtcdAddress,
        /// Certificates of the etcd and of this agent.
        tls: Option<EtcdTls>,
        /// The file with the last readings.
        remembered: PathBuf,
    },
}

/// The file with the last readings of the store in the file at `path`.
pub fn remembered_beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".last-read");
    PathBuf::from(beside)
}

/// An open store.
#[derive(Clone)]
pub struct Place {
    pub(super) store: Arc<dyn Store>,
    pub(super) link: Option<Arc<Link>>,
    pub(super) shared: bool,
    /// What was found when it was opened, a sentence each.
    pub(super) noticed: Vec<String>,
}

impl Place {
    /// A store of one agent.
    pub fn own(store: Arc<dyn Store>) -> Self {
        Place {
            store,
            link: None,
            shared: false,
            noticed: Vec::new(),
        }
    }

    /// A store that several agents of this process use.
    pub fn shared(store: Arc<dyn Store>) -> Self {
        Place {
            shared: true,
            ..Place::own(store)
        }
    }

    /// A store on a network, from which the node may be cut off.
    pub fn linked(store: Linked) -> Self {
        Place {
            link: Some(store.link()),
            ..Place::shared(Arc::new(store))
        }
    }

    /// Opens a store for the node called `node`.
    ///
    /// # Errors
    ///
    /// The file is not a store, or certificates cannot be read.
    pub fn open(choice: &StoreChoice, node: &str) -> Result<Self, Problem> {
        let linked = |store, file| Linked::new(store, node, Some(file), Arc::new(SystemClock));
        match choice {
            StoreChoice::File(path) => {
                let store = Reopened::open(path).map_err(failed)?;
                let noticed = store.noticed().into_iter().collect();
                let linked = linked(Arc::new(store), remembered_beside(path));
                Ok(Place {
                    shared: false,
                    noticed,
                    ..Place::linked(linked)
                })
            }
            StoreChoice::Etcd {
                address,
                tls,
                remembered,
            } => {
                let store = Etcd::open(address, tls.as_ref()).map_err(failed)?;
                Ok(Place::linked(linked(Arc::new(store), remembered.clone())))
            }
        }
    }
}
