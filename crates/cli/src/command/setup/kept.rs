//! Files that setup replaces: what they had is kept beside.

use std::fs;
use std::io;

use accelnet_model::{Code, Problem};

use super::steps::failed;
use crate::system::{self, System};

/// Copies of one file at most.
const COPIES: u32 = 1000;

/// Where the content of `path` is kept before `text` replaces it: the first of `aside`.1, `aside`.2, ... that
/// is free, or has it already. None where nothing is lost.
///
/// # Errors
///
/// `path` is a link or no file.
pub fn aside(
    system: &dyn System,
    path: &str,
    text: &str,
    aside: &str,
) -> Result<Option<String>, Problem> {
    let cannot = |error: io::Error| failed(&format!("read {path}"), &error.to_string());
    let file = system::at(system, path);
    let found = match fs::symlink_metadata(&file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        found => found.map_err(cannot)?,
    };
    if !found.is_file() {
        return Err(not_a_file(path, &file));
    }
    let old = fs::read(&file).map_err(cannot)?;
    if old == text.as_bytes() {
        return Ok(None);
    }
    for number in 1..=COPIES {
        let name = format!("{aside}.{number}");
        match fs::read(system::at(system, &name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(name)),
            Ok(kept) if kept == old => return Ok(Some(name)),
            _ => {}
        }
    }
    let what = format!("save the content of {path}");
    Err(failed(&what, &format!("{COPIES} copies exist")))
}

fn not_a_file(path: &str, file: &std::path::Path) -> Problem {
    let found = match fs::read_link(file) {
        Ok(to) => format!("{path} is a link to {}.", to.display()),
        Err(_) => format!("{path} is no file."),
    };
    let what = format!("{path} is in the way");
    Problem::new(Code::SetupFailed, &[&what], found)
        .needed("A file, or nothing.")
        .resolution(format!(
            "Remove it ('systemctl unmask accelnet' where the unit is masked), and run 'accelnet setup' again. Nothing was written to {path}."
        ))
}

/// Keeps the content of `path` at `aside`.
///
/// # Errors
///
/// What the kernel answered.
pub fn keep(system: &dyn System, path: &str, aside: &str) -> Result<(), Problem> {
    let cannot = |error: io::Error| failed(&format!("copy {path} to {aside}"), &error.to_string());
    let old = fs::read(system::at(system, path)).map_err(cannot)?;
    let to = system::at(system, aside);
    if fs::read(&to).is_ok_and(|kept| kept == old) {
        return Ok(());
    }
    system.before(&format!("write {aside}")).map_err(cannot)?;
    // An interrupted one is written again: it was not read yet.
    let new = system::at(system, &format!("{aside}.new"));
    fs::write(&new, &old).map_err(cannot)?;
    fs::rename(&new, &to).map_err(cannot)
}
