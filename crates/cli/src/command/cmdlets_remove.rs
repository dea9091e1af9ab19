//! `accelnet cmdlets remove`: the links taken away.

use std::fs;

use super::Result;
use super::cmdlets_install::{Laid, failed, links};
use crate::args::{CmdletsChange, Output};
use crate::session::Session;

/// Takes them away.
pub fn run(args: &CmdletsChange, session: &mut Session<'_>) -> Result {
    let mut changed = 0;
    for (link, there) in links(&args.dir)? {
        if there.is_some() {
            fs::remove_file(&link).map_err(|error| failed(&link, &error))?;
            changed += 1;
        }
    }
    let laid = Laid {
        dir: args.dir.clone(),
        names: Vec::new(),
        changed,
    };
    match args.output {
        Output::Json => session.say_json(&laid),
        Output::Table => session.say(&format!(
            "{changed} names were removed from {}.\n",
            args.dir.display()
        )),
    }
    Ok(0)
}
