//! The `accelnet` program: reads its surroundings once, and hands them on.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use accelnet::args::{Args, ColorChoice};
use accelnet::session::Session;
use accelnet_host::hook;
use accelnet_host::hypervisor::NoHypervisor;
use accelnet_host::knobs::{self, NoKnobs};
use accelnet_host::switch::guard;
use accelnet_host::{CopiedLinks, Host, KernelLinks, LocalHypervisor, SystemClock, SystemKnobs};
use accelnet_pci::Root;
use clap::Parser;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        Some(word) if word == knobs::CHILD => std::process::exit(knobs::run_child(words)),
        Some(word) if word == guard::CHILD => std::process::exit(guard::run_child(words)),
        Some(word) if word == hook::CALLED => {
            std::process::exit(hook::run(words, std::io::stdin().lock()))
        }
        _ => {}
    }
    let args = Args::parse();
    let root = match &args.root {
        Some(folder) => Root::new(folder),
        None => Root::system(),
    };
    let copied = CopiedLinks::new(root.clone());
    let system_knobs = SystemKnobs {
        program: PathBuf::from("/proc/self/exe"),
    };
    let host = match args.root {
        Some(_) => Host {
            root: &root,
            links: &copied,
            knobs: &NoKnobs,
            hypervisor: &NoHypervisor,
            clock: &SystemClock,
        },
        None => Host {
            root: &root,
            links: &KernelLinks,
            knobs: &system_knobs,
            hypervisor: &LocalHypervisor,
            clock: &SystemClock,
        },
    };
    let terminal = std::io::stdout().is_terminal();
    let mut out = Vec::new();
    let mut err = Vec::new();
    let status = accelnet::run(
        &args,
        &mut Session {
            host,
            out: &mut out,
            err: &mut err,
            colour: match args.color {
                ColorChoice::Always => true,
                ColorChoice::Never => false,
                ColorChoice::Auto => terminal && wants_colour(),
            },
            width: terminal_width(),
            progress: std::io::stderr().is_terminal(),
        },
    );
    // A reader that has gone away (`| head`) is no error of ours.
    drop(std::io::stdout().write_all(&out));
    drop(std::io::stderr().write_all(&err));
    ExitCode::from(status)
}

/// `NO_COLOR` and a dumb terminal ask for none.
#[expect(
    clippy::disallowed_methods,
    reason = "main is where the environment is read"
)]
fn wants_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Columns of the terminal on standard output; none when it is no terminal.
fn terminal_width() -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}
