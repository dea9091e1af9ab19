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
    /// Whether it was written; false after a dry run.
    applied: bool,
}

/// Writes it.
pub fn run(args: &StoreBackup, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let backup = Backup::take(&*opened.store, &session.host.clock.now())?;
    if !args.dry_run {
        store_opened::write(&args.file, &backup)?;
    }
    let made = Made {
        file: args.file.clone(),
        keys: backup.entries.len(),
        revision: backup.revision,
        applied: !args.dry_run,
    };
    ask::print_answer(session, args.output, &made, |made, _, _| {
        let verb = if made.applied { "Wrote" } else { "Would write" };
        format!(
            "{verb} {} keys of {} at revision {} to {}.\n",
            made.keys,
            opened.name,
            made.revision,
            made.file.display()
        )
    });
    Ok(0)
}
