//! Timing processes, in turns.

use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::row::Times;
use crate::error::Error;

/// Times `ours` and `theirs`, `rounds` times each, in turns after one round that does not
/// count. A side is one process or several that run one after the other, each from its
/// start to its end, with its output thrown away.
///
/// A process may end with any status (a copy of a node cannot be read whole), but with the
/// same one each time: that its answer is right is for the caller to check.
pub fn in_turns(
    rounds: u32,
    ours: &mut [Command],
    theirs: &mut [Command],
) -> Result<(Times, Times), Error> {
    let mut times = (Vec::new(), Vec::new());
    let (our_end, their_end) = (time(ours)?.1, time(theirs)?.1);
    for _ in 0..rounds {
        for (side, end, times) in [
            (&mut *ours, &our_end, &mut times.0),
            (&mut *theirs, &their_end, &mut times.1),
        ] {
            let (spent, ended) = time(side)?;
            if ended != *end {
                return Err(Error::Bench(format!("{end:?} at first, then {ended:?}")));
            }
            times.push(spent);
        }
    }
    Ok((Times(times.0), Times(times.1)))
}

fn time(commands: &mut [Command]) -> Result<(Duration, Vec<ExitStatus>), Error> {
    let mut spent = Duration::ZERO;
    let mut ends = Vec::new();
    for command in commands {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let begun = Instant::now();
        let status = command.status();
        spent += begun.elapsed();
        ends.push(status.map_err(|source| Error::NotStarted {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        })?);
    }
    Ok((spent, ends))
}
