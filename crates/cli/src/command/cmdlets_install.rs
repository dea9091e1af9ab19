//! `accelnet cmdlets install`: a link for every name.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use accelnet_model::{Code, Problem};
use serde::Serialize;

use super::Result;
use crate::args::{CmdletsChange, Output};
use crate::cmdlet::CMDLETS;
use crate::session::Session;

/// What came of it. Its JSON is part of the API.
#[derive(Debug, Serialize)]
pub struct Laid {
    /// The folder.
    pub dir: PathBuf,
    /// Names that are there now.
    pub names: Vec<&'static str>,
    /// How many of them changed, or would.
    pub changed: usize,
    /// Whether that was done; false after a dry run.
    pub applied: bool,
}

/// Lays the links; those that are right already stay.
pub fn run(args: &CmdletsChange, session: &mut Session<'_>) -> Result {
    let program = std::env::current_exe().map_err(|error| failed(Path::new("accelnet"), &error))?;
    if !args.dry_run {
        if args.dir.is_file() {
            let name = args.dir.display().to_string();
            let found = "It is a file, not a folder.";
            return Err(Problem::new(Code::FileFailed, &[&name], found)
                .resolution("Use --dir with a folder."));
        }
        fs::create_dir_all(&args.dir).map_err(|error| failed(&args.dir, &error))?;
    }
    let mut changed = 0;
    for (link, there) in links(&args.dir)? {
        if there.as_ref() == Some(&program) {
            continue;
        }
        changed += 1;
        if args.dry_run {
            continue;
        }
        // Laid beside it and moved there: the name is never without its program.
        let new = link.with_extension("new");
        if fs::symlink_metadata(&new).is_ok() {
            fs::remove_file(&new).map_err(|error| failed(&new, &error))?;
        }
        symlink(&program, &new).map_err(|error| failed(&new, &error))?;
        fs::rename(&new, &link).map_err(|error| failed(&link, &error))?;
    }
    let laid = Laid {
        dir: args.dir.clone(),
        names: CMDLETS.iter().map(|cmdlet| cmdlet.name).collect(),
        changed,
        applied: !args.dry_run,
    };
    match args.output {
        Output::Json => session.print_json(&laid),
        Output::Table => {
            let dir = args.dir.display();
            if args.dry_run {
                session.print(&format!(
                    "Dry run: {changed} of {} names would be linked in {dir}.\n",
                    CMDLETS.len()
                ));
                return Ok(0);
            }
            session.print(&format!(
                "{} names are in {dir}, {changed} of them new.\n\
                 Where that folder is not in your PATH: export PATH=\"{dir}:$PATH\"\n",
                CMDLETS.len()
            ));
        }
    }
    Ok(0)
}

/// Every link that there should be in `dir`, with where it leads now.
///
/// # Errors
///
/// Something else has one of the names.
pub fn links(dir: &Path) -> std::result::Result<Vec<(PathBuf, Option<PathBuf>)>, Problem> {
    let mut links = Vec::new();
    for cmdlet in CMDLETS {
        let link = dir.join(cmdlet.name);
        let there = match fs::symlink_metadata(&link) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(&link, &error)),
            Ok(_) => match fs::read_link(&link) {
                Ok(leads) if leads.file_name().is_some_and(|name| name == "accelnet") => {
                    Some(leads)
                }
                Ok(leads) => return Err(taken(&link, &format!("leads to {}", leads.display()))),
                Err(_) => return Err(taken(&link, "is not a symbolic link")),
            },
        };
        links.push((link, there));
    }
    Ok(links)
}

fn taken(link: &Path, what: &str) -> Problem {
    let name = link.display().to_string();
    Problem::new(Code::NameTaken, &[&name], format!("{name} {what}."))
}

/// A file could not be written, and why.
pub fn failed(path: &Path, error: &io::Error) -> Problem {
    let name = path.display().to_string();
    Problem::new(Code::FileFailed, &[&name], "The kernel refused.").cause(error.to_string())
}
