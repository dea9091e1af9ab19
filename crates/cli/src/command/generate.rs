//! `accelnet generate`: the parts of the documentation that are made from the program.

use std::path::Path;

use accelnet_model::{Code, Problem};

use super::Result;
use crate::render::documentation;
use crate::session::Session;

/// Writes every generated page into `folder`.
pub fn run(folder: &Path, session: &mut Session<'_>) -> Result {
    let pages = [
        ("drivers.md", documentation::drivers()),
        ("errors.md", documentation::errors()),
        ("commands.md", documentation::commands()),
        ("cmdlets.md", documentation::cmdlets()),
    ];
    for (name, text) in pages {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| {
            let what = path.display().to_string();
            Problem::new(
                Code::NotReadable,
                &["The documentation", &what],
                error.to_string(),
            )
        })?;
        session.print(&format!("{}\n", path.display()));
    }
    Ok(0)
}
