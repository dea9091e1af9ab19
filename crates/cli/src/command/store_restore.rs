//! `accelnet store restore`: a backup into the store.

use std::fs;

use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::cluster::restore::{Restored, restore};
use accelnet_model::outside::escaped;
use accelnet_model::{Code, Problem};

use super::store_opened::{self, Missing};
use super::{Result, ask};
use crate::args::StoreRestore;
use crate::session::Session;

/// Puts it back.
pub fn run(args: &StoreRestore, session: &mut Session<'_>) -> Result {
    let unusable = |found: String| {
        let found = format!("{}: {found}.", args.file.display());
        Problem::new(Code::StoreFailed, &[], found)
            .resolution("Name a file that 'accelnet store backup' or an agent wrote.")
    };
    let text = fs::read(&args.file).map_err(|error| unusable(error.to_string()))?;
    let backup = Backup::read(&text).map_err(unusable)?;
    let missing = match args.dry_run {
        true => Missing::Refuse,
        false => Missing::Make,
    };
    let opened = store_opened::open(&args.which, missing, session)?;
    let (now, seconds) = (session.host.clock.now(), store_opened::seconds());
    let name = &opened.name;
    let restored = restore(&*opened.store, name, &backup, &now, seconds, args.dry_run)?;
    session.changed |= !args.dry_run;
    ask::print_answer(session, args.output, &restored, |restored, _, _| {
        in_words(restored, name, args.dry_run)
    });
    Ok(0)
}

fn in_words(restored: &Restored, name: &str, dry_run: bool) -> String {
    let (write, remove, leave) = match dry_run {
        true => ("Would write", "Would remove", "Would leave out"),
        false => ("Wrote", "Removed", "Left out"),
    };
    let mut text = format!("{write} {} keys to {name}.\n", restored.written);
    for key in &restored.removed {
        text += &format!(
            "{remove} {}, which the backup does not have.\n",
            escaped(key)
        );
    }
    for key in &restored.unreadable {
        text += &format!("{leave} {}, which cannot be read.\n", escaped(key));
    }
    if !dry_run {
        text += "The agents of the cluster accept the store again within seconds; the agent of a single machine does so when it starts.\n";
    }
    text
}
