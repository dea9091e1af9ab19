//! `accelnet faults`: what is wrong now.

use super::{Result, ask};
use crate::args::Show;
use crate::render;
use crate::session::Session;

/// Lists the faults.
pub fn run(args: &Show, session: &mut Session<'_>) -> Result {
    let faults = session.agent()?.status()?.faults;
    ask::tell(session, args.output, &faults, |faults, colour, _| {
        render::faults(faults, colour)
    });
    Ok(0)
}
