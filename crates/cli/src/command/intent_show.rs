//! `accelnet intent show`: one intent.

use super::{Result, ask};
use crate::args::IntentShow;
use crate::render;
use crate::session::Session;

/// Shows an intent.
pub fn run(args: &IntentShow, session: &mut Session<'_>) -> Result {
    let intent = session.agent()?.intent(&args.name)?;
    ask::tell(session, args.output, &intent, render::intent);
    Ok(0)
}
