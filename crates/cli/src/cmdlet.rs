//! The names of the document: `Enable-AccelNetVM` and the rest, spelled as PowerShell spells
//! parameters, done by the native commands.
//!
//! [`table::CMDLETS`] is all there is, as data; the program finds itself called by one of
//! these names and reads the words that follow by its parameters.

mod build;
mod given;
pub mod help;
mod parse;
mod pipes;
pub mod table;

use std::ffi::OsStr;
use std::path::Path;

pub use given::Given;
pub use parse::Wrong;
pub use pipes::Pipes;
pub use table::{CMDLETS, Cmdlet};

use crate::args::{Args, ColorChoice};

/// What the words after a cmdlet's name come to.
#[derive(Debug)]
pub enum Typed {
    /// A native command, and what is to be reported on standard error first.
    Run(Box<Args>, Vec<String>),
    /// A user asked how it is used.
    Help(String),
}

/// The cmdlet that a program called `name` is, in any case.
pub fn called(name: &OsStr) -> Option<&'static Cmdlet> {
    let name = Path::new(name).file_name()?.to_str()?;
    CMDLETS
        .iter()
        .find(|cmdlet| cmdlet.name.eq_ignore_ascii_case(name))
}

/// Reads the words after a cmdlet's name.
///
/// # Errors
///
/// Words that make no sense to it.
pub fn read(cmdlet: &Cmdlet, words: &[String], pipes: Pipes) -> Result<Typed, Wrong> {
    let given = parse::parse(cmdlet, words, pipes)?;
    if given.help {
        return Ok(Typed::Help(help::text(cmdlet)));
    }
    let command = (cmdlet.build)(&given, pipes)
        .map_err(|what| Wrong(format!("{}: {what}\n{}", cmdlet.name, help::usage(cmdlet))))?;
    let args = Args {
        root: None,
        socket: None,
        server: None,
        profile: None,
        color: ColorChoice::Auto,
        command,
    };
    Ok(Typed::Run(Box::new(args), given.notes))
}

#[cfg(test)]
mod tests;
