//! `accelnet store migrate`: one machine's store into an etcd.

use accelnet_agent::cluster::membership;
use accelnet_agent::cluster::migration::{Migrated, migrate};
use accelnet_agent::problems::store_failed;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};
use accelnet_store::{Embedded, History};

use super::{Result, ask, etcd};
use crate::args::StoreMigrate;
use crate::session::Session;

/// Moves it.
pub fn run(args: &StoreMigrate, session: &mut Session<'_>) -> Result {
    let origin = args.from.display().to_string();
    // Opening it would make it.
    if !args.from.exists() {
        let found = format!("{origin}: no such file.");
        return Err(Problem::new(Code::StoreFailed, &[], found));
    }
    let from = Embedded::open(&args.from, History::default(), || SystemClock.uptime());
    let from = std::sync::Arc::new(from.map_err(|error| store_failed(&error))?);
    // What this release cannot read it does not move.
    membership::is_readable(from.clone(), "")?;
    let to = etcd::open(&args.to, &args.tls)?;
    let now = session.host.clock.now();
    let name = args.to.to_string();
    let moved = migrate(&*from, &origin, &*to, &name, &now, args.dry_run)?;
    session.changed = moved.applied;
    ask::print_answer(session, args.output, &moved, |moved, _, _| {
        in_words(moved, &origin, &name)
    });
    Ok(0)
}

fn in_words(moved: &Migrated, origin: &str, name: &str) -> String {
    let Migrated {
        keys,
        existing_keys,
        ..
    } = moved;
    let before = match existing_keys {
        0 => String::new(),
        some => format!(", {some} of them by an earlier, interrupted migration"),
    };
    match moved.applied {
        true => format!(
            "{keys} keys of {origin} are in {name}{before}. 'accelnet cluster join --store {name}' \
             starts the agent on it; {origin} is unchanged.\n"
        ),
        false => format!("{keys} keys of {origin} would be copied to {name}{before}.\n"),
    }
}
