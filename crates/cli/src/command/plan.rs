//! `accelnet plan`: what would be done now, and why.

use super::{Result, ask};
use crate::args::Show;
use crate::render;
use crate::session::Session;

/// Shows the plan.
pub fn run(args: &Show, session: &mut Session<'_>) -> Result {
    let plan = session.agent()?.plan()?;
    ask::print_answer(session, args.output, &plan, |plan, _, _| render::plan(plan));
    Ok(0)
}
