//! `accelnet status`: how things stand.

use super::{Result, ask};
use crate::args::Show;
use crate::render;
use crate::session::Session;

/// Tells how things stand.
pub fn run(args: &Show, session: &mut Session<'_>) -> Result {
    let status = session.agent()?.status()?;
    ask::tell(session, args.output, &status, render::status);
    Ok(0)
}
