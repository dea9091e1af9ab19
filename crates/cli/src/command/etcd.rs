//! The etcd that a command without an agent works on.

use std::sync::Arc;

use accelnet_agent::problems::store_failed;
use accelnet_model::{Code, Problem};
use accelnet_store::{Etcd, EtcdAddress, Store, StoreError};

use crate::args::TlsArgs;

/// A key that is read to see whether etcd answers; it need not exist.
const PROBE: &str = "cluster";

/// Opens an etcd that answers.
///
/// # Errors
///
/// `etcd_unreachable` before anything is changed, or what etcd refuses.
pub fn open(address: &EtcdAddress, tls: &TlsArgs) -> Result<Arc<dyn Store>, Problem> {
    let store = Etcd::open(address, tls.files().as_ref()).map_err(|error| match error {
        StoreError::EtcdSettings { .. } => store_failed(&error).resolution(
            "Correct the files of --store-ca, --store-cert and --store-key, then run the same command again.",
        ),
        error => store_failed(&error),
    })?;
    match store.get(PROBE) {
        Ok(_) => Ok(Arc::new(store)),
        Err(StoreError::CutOff { found, .. }) => {
            let address = address.to_string();
            let found = format!("{found}. Nothing was changed.");
            Err(Problem::new(Code::EtcdUnreachable, &[&address], found))
        }
        Err(error) => Err(store_failed(&error)),
    }
}
