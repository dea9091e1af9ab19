//! `accelnet store accept`: an older state of the store counts.

use accelnet_agent::cluster::backup::accept;

use super::Result;
use super::store_opened::{self, Missing};
use crate::args::StoreAccept;
use crate::session::Session;

/// Says so in the store.
pub fn run(args: &StoreAccept, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let known = opened.last_read().and_then(|last| last.identity());
    let (name, seconds) = (&opened.name, store_opened::seconds());
    accept(&*opened.store, name, known.as_ref(), seconds, args.dry_run)?;
    session.changed = !args.dry_run;
    session.say(&match args.dry_run {
        true => format!("{name} would count as it is.\n"),
        false => format!(
            "{name} counts as it is. Its agents take it for theirs again within seconds; that of a \
             machine on its own when it is started. 'accelnet status' names what runs and is not in it.\n"
        ),
    });
    Ok(0)
}
