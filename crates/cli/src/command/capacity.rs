//! `accelnet capacity`: what there is to give, of this cluster or of one in a file.

use accelnet_model::{Capacity, Problem};

use super::{Result, ask, cluster_file};
use crate::args;
use crate::render;
use crate::session::Session;

/// Shows the capacity.
pub fn run(args: &args::Capacity, session: &mut Session<'_>) -> Result {
    let capacity = match &args.from {
        Some(file) => cluster_file::judge(file, session)?,
        None => session.agent()?.capacity()?,
    };
    ask::tell(session, args.output, &capacity, render::capacity);
    Ok(status(&capacity))
}

/// That of the promise, then that of the first VM that is not admitted.
fn status(capacity: &Capacity) -> u8 {
    let mut refused = capacity.answers.iter().filter_map(|answer| answer.code);
    match (&capacity.problem, refused.next()) {
        (Some(problem), _) => Problem::exit_status(problem),
        (None, Some(code)) => code.entry().exit_status,
        (None, None) => 0,
    }
}
