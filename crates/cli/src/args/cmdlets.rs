//! `accelnet cmdlets`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{ListOutput, Output};

/// `accelnet cmdlets`
#[derive(Debug, Subcommand)]
pub enum CmdletsCommand {
    /// Lay a link for every name into a folder
    Install(CmdletsChange),
    /// Take the links away again
    Remove(CmdletsChange),
    /// List the names, and the command that each stands for
    List(CmdletsList),
}

/// `accelnet cmdlets install`, `accelnet cmdlets remove`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Links to this program, one for each name that the document has: \
        Enable-AccelNetVM and the rest, with PowerShell's spelling of parameters. Anything that is \
        there and is no such link is left alone, and named; then nothing is changed at all."
)]
pub struct CmdletsChange {
    /// The folder
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: Output,
}

/// `accelnet cmdlets list`
#[derive(Debug, ClapArgs)]
pub struct CmdletsList {
    /// How to write the answer
    #[arg(long, short, value_name = "FORM", default_value = "table")]
    pub output: ListOutput,
}
