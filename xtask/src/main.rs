//! What a developer of accelnet types: `cargo xtask COMMAND`, one file each.

mod bench;
mod demo;
mod error;
mod etcd;
mod fuzz;
mod generate;
mod lab;
mod lint;
mod packages;
mod picture;
mod run;
mod schemathesis;
mod test;
mod tools;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Test, check and explore accelnet
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Xtask {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Test(test::Test),
    Lint(lint::Lint),
    Generate(generate::Generate),
    #[command(subcommand)]
    Lab(lab::Lab),
    Fuzz(fuzz::Fuzz),
    Bench(bench::Bench),
}

fn main() -> ExitCode {
    let result = match Xtask::parse().command {
        Command::Test(test) => test.run(),
        Command::Lint(lint) => lint.run(),
        Command::Generate(generate) => generate.run(),
        Command::Lab(lab) => lab.run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::Bench(bench) => bench.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The test runner's summary stays the last output.
            if !matches!(error, error::Error::Tests { .. }) {
                eprintln!("error: {error}");
            }
            error.exit_code()
        }
    }
}
