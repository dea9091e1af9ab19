//! `accelnet cmdlets remove`: the links taken away.

use std::fs;

use accelnet_model::{Code, Problem};

use super::Result;
use super::cmdlets_install::{Laid, failed, links};
use crate::args::{CmdletsChange, Output};
use crate::session::Session;

/// Takes them away.
pub fn run(args: &CmdletsChange, session: &mut Session<'_>) -> Result {
    if !args.dir.is_dir() {
        let name = args.dir.display().to_string();
        let found = match args.dir.exists() {
            true => "It is something else.",
            false => "It does not exist.",
        };
        return Err(Problem {
            message: format!("{name} is not a folder."),
            ..Problem::new(Code::FileFailed, &[&name], found)
        }
        .resolution("Use --dir with the folder of 'accelnet cmdlets install'."));
    }
    let mut changed = 0;
    for (link, there) in links(&args.dir)? {
        if there.is_some() {
            changed += 1;
            if !args.dry_run {
                fs::remove_file(&link).map_err(|error| failed(&link, &error))?;
            }
        }
    }
    let laid = Laid {
        dir: args.dir.clone(),
        names: Vec::new(),
        changed,
        applied: !args.dry_run,
    };
    match args.output {
        Output::Json => session.print_json(&laid),
        Output::Table => {
            let dir = args.dir.display();
            session.print(&match args.dry_run {
                true => format!("Dry run: {changed} names would be removed from {dir}.\n"),
                false => format!("{changed} names were removed from {dir}.\n"),
            });
        }
    }
    Ok(0)
}
