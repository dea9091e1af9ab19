//! `accelnet cmdlets`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::{ListOutput, Output};

/// `accelnet cmdlets`
#[derive(Debug, Subcommand)]
pub enum CmdletsCommand {
    /// Create a link for each name in a folder
    Install(CmdletsChange),
    /// Remove the links
    Remove(CmdletsChange),
    /// List the names and their commands
    List(CmdletsList),
}

/// `accelnet cmdlets install`, `accelnet cmdlets remove`
#[derive(Debug, ClapArgs)]
#[command(
    long_about = "Create or remove links to this program, one for each PowerShell-style name (Enable-AccelNetVM, ...), with PowerShell's spelling of parameters. If the folder contains other files with these names, nothing changes and the error names them."
)]
pub struct CmdletsChange {
    /// Folder of the links
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Show the plan without changing anything
    #[arg(long)]
    pub dry_run: bool,
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: Output,
}

/// `accelnet cmdlets list`
#[derive(Debug, ClapArgs)]
pub struct CmdletsList {
    /// Output format
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    pub output: ListOutput,
}
