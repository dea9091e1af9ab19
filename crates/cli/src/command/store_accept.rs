//! `accelnet store accept`: an older state of the store counts.

use accelnet_agent::cluster::restore::accept;

use super::Result;
use super::store_opened::{self, Missing};
use crate::args::StoreAccept;
use crate::session::Session;

/// Records it in the store.
pub fn run(args: &StoreAccept, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let known = opened.last_read().and_then(|last| last.identity());
    let (name, seconds) = (&opened.name, store_opened::seconds());
    accept(&*opened.store, name, known.as_ref(), seconds, args.dry_run)?;
    session.changed = !args.dry_run;
    session.print(&match args.dry_run {
        true => format!("The current state of {name} would be accepted.\n"),
        false => format!(
            "The current state of {name} is accepted. Agents of a cluster continue within seconds; the agent of a single machine continues when it starts. 'accelnet status' shows VFs and VMs that the store does not contain.\n"
        ),
    });
    Ok(0)
}
