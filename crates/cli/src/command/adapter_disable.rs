//! `accelnet adapter disable`: SR-IOV off.

use accelnet_model::vf_plan::Ask;

use super::Result;
use crate::args::{AdapterDisable, Output};
use crate::change::{self, Request};
use crate::render::{self, ProgressLine};
use crate::session::Session;

/// Removes all VFs.
pub fn run(args: &AdapterDisable, session: &mut Session<'_>) -> Result {
    let request = Request {
        name: &args.name,
        ask: Ask::Off,
        within: args.how.within(),
        dry_run: args.how.dry_run,
    };
    change(request, args.how.output, session)
}

/// Makes a change with a progress line, and tells what came of it.
pub fn change(request: Request<'_>, output: Output, session: &mut Session<'_>) -> Result {
    let line = ProgressLine::new(session.progress, request.within);
    let changed = change::run(&session.host, request, &mut |progress| line.show(progress));
    line.end();
    let changed = changed?;
    match output {
        Output::Json => session.say_json(&changed),
        Output::Table => session.say(&render::changed(&changed)),
    }
    Ok(0)
}
