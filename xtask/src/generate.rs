//! `cargo xtask generate`: the committed files that the program itself writes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;

use crate::error::Error;
use crate::picture;
use crate::run::{cargo, root, run, target};

/// Where the generated files are kept, below the workspace's folder.
const KEPT: &str = "docs";

/// Write the files in docs/ that the program generates
#[derive(Debug, Args)]
pub struct Generate {
    /// Write nothing; fail when a committed file is not what would be written
    #[arg(long)]
    check: bool,
}

impl Generate {
    pub fn run(&self) -> Result<(), Error> {
        let kept = root().join(KEPT);
        if !self.check {
            return write(&kept);
        }
        let folder = tempfile::tempdir().map_err(|source| Error::File {
            path: std::env::temp_dir(),
            source,
        })?;
        write(folder.path())?;
        let stale = stale(folder.path(), &kept)?;
        match stale.is_empty() {
            true => Ok(()),
            false => Err(Error::Stale(stale)),
        }
    }
}

/// Has the program write its files into `folder`, which is made if need be.
fn write(folder: &Path) -> Result<(), Error> {
    fs::create_dir_all(folder).map_err(|source| Error::File {
        path: folder.to_owned(),
        source,
    })?;
    let openapi = folder.join("openapi.json");
    fs::write(&openapi, accelnet_api::schema::text()).map_err(|source| Error::File {
        path: openapi,
        source,
    })?;
    run(&mut cargo(["build", "--quiet", "--package", "accelnet"]))?;
    let program = target().join("debug/accelnet");
    run(Command::new(&program).arg("generate").arg(folder))?;
    picture::write(&program, &folder.join("session.svg"))
}

/// Names every file below `made` that is not the same below `kept`, after showing where they
/// part.
fn stale(made: &Path, kept: &Path) -> Result<Vec<String>, Error> {
    let mut stale = Vec::new();
    for path in files(made)? {
        let name = path.strip_prefix(made).unwrap_or(&path);
        let new = read(&path)?;
        let old = match kept.join(name) {
            there if there.exists() => read(&there)?,
            _ => String::new(),
        };
        if let Some(difference) = difference(&old, &new) {
            let name = Path::new(KEPT).join(name).display().to_string();
            eprintln!("--- {name}, committed\n+++ {name}, generated\n{difference}");
            stale.push(name);
        }
    }
    Ok(stale)
}

/// Where two texts part: the first line that differs, as a diff shows it.
fn difference(old: &str, new: &str) -> Option<String> {
    if old == new {
        return None;
    }
    let (mut old, mut new) = (old.lines(), new.lines());
    let mut line = 0;
    loop {
        line += 1;
        let (was, is) = match (old.next(), new.next()) {
            (None, None) => return Some("only the ends of lines differ".to_owned()),
            (was, is) if was == is => continue,
            parted => parted,
        };
        let mut shown = format!("@@ line {line} @@");
        for (sign, text) in [('-', was), ('+', is)] {
            if let Some(text) = text {
                shown.push_str(&format!("\n{sign}{text}"));
            }
        }
        return Some(shown);
    }
}

/// Every file below `folder`, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |source| Error::File {
        path: folder.to_owned(),
        source,
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
