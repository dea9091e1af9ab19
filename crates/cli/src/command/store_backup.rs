//! `accelnet store backup`: the store into a file.

use accelnet_agent::cluster::backup::Backup;
use serde::{Deserialize, Serialize};

use super::store_opened::{self, Missing};
use super::{Result, ask};
use crate::args::StoreBackup;
use crate::session::Session;

#[derive(Clone, Serialize, Deserialize)]
struct Made {
    file: std::path::PathBuf,
    keys: usize,
    revision: u64,
}

/// Writes it.
pub fn run(args: &StoreBackup, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let backup = Backup::take(&*opened.store, &session.host.clock.now())?;
    store_opened::write(&args.file, &backup)?;
    let made = Made {
        file: args.file.clone(),
        keys: backup.entries.len(),
        revision: backup.revision,
    };
    ask::tell(session, args.output, &made, |made, _, _| {
        format!(
            "Wrote {} keys of {} at revision {} to {}.\n",
            made.keys,
            opened.name,
            made.revision,
            made.file.display()
        )
    });
    Ok(0)
}
