//! Types commands, as an administrator would, on nodes that never existed.

use accelnet::args::Args;
use std::io;
use std::path::PathBuf;
use std::process::Output;

use accelnet::session::Session;
use accelnet::system::System;
use accelnet_agent::journald::Journald;
use accelnet_api::types::Origin;
use accelnet_api::{Caller, Client, Role};
use accelnet_model::PciAddress;
use accelnet_pci::Root;
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};

/// What a command showed.
#[derive(Debug)]
pub struct Shown {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status.
    pub status: u8,
}

/// Types `command` on a node: words between blanks, the program's name first. The folder
/// that the node is in is left out of what is shown.
pub fn types(node: &Booted, command: &str) -> Shown {
    let args = match Args::read(command.split(' ')) {
        Ok(args) => args,
        Err(error) => return not_parsed(&error, command),
    };
    let mut shown = run(&args, node, None, b"");
    let folder = node.folder.path().to_str().expect("a path");
    shown.out = shown.out.replace(folder, "");
    shown.err = shown.err.replace(folder, "");
    shown
}

/// Runs a command on a node, with the agent of it and something on standard input.
pub fn run(args: &Args, node: &Booted, agent: Option<Client>, mut input: &[u8]) -> Shown {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = accelnet::run(
        args,
        &mut Session {
            host: node.host.host(),
            system: &Nothing::new(),
            named: false,
            changed: false,
            agent,
            input: &mut input,
            out: &mut out,
            err: &mut err,
            colour: false,
            width: None,
            err_terminal: (false, None),
            progress: false,
        },
    );
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Shown {
        out: text(out),
        err: text(err),
        status,
    }
}

/// A machine without files, programs and a journal.
pub struct Nothing(Root);

impl Nothing {
    /// It.
    pub fn new() -> Self {
        Nothing(Root::new("/nonexistent"))
    }
}

impl System for Nothing {
    fn root(&self) -> &Root {
        &self.0
    }

    fn user(&self) -> u32 {
        0
    }

    fn program(&self) -> io::Result<PathBuf> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn run(&self, _: &str, _: &[&str]) -> io::Result<Output> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn caller(&self) -> Caller {
        Caller {
            name: "root".to_owned(),
            role: Role::Administrator,
            from: Origin::command_line(),
        }
    }

    fn claimed(&self) -> Option<&str> {
        None
    }

    fn journald(&self) -> Option<&Journald> {
        None
    }
}

/// What is shown for a command line that makes no sense.
pub fn not_parsed(error: &clap::Error, command: &str) -> Shown {
    let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let text = accelnet::wrong::text(error, &words, false);
    let text = text.unwrap_or_else(|| error.to_string());
    let (out, err) = match error.use_stderr() {
        true => (String::new(), text),
        false => (text, String::new()),
    };
    let status = u8::try_from(error.exit_code()).expect("a status");
    Shown { out, err, status }
}

/// Where the adapter of [`node`] is.
pub fn pf() -> PciAddress {
    "0000:01:00.0".parse().expect("an address")
}

/// A node with one adapter, ens1, with 7 VFs to give, behind a port with ACS.
pub fn node(change: impl FnOnce(AdapterSpec) -> AdapterSpec) -> Booted {
    let igb = change(AdapterSpec::igb(pf(), "ens1"));
    boot(Tree::new().port(port().adapter(igb)))
}

/// The port above that adapter.
pub fn port() -> Port {
    Port::root("0000:00:01.0".parse().expect("an address"), 1, 2)
}

/// A node in a folder of its own.
pub fn boot(tree: Tree) -> Booted {
    let folder = tempfile::tempdir().expect("a folder");
    let host = SimHost::boot(tree, folder.path()).expect("a node");
    Booted { host, folder }
}

/// A node, and the folder that goes with it.
pub struct Booted {
    /// The node.
    pub host: SimHost,
    /// The folder.
    pub folder: tempfile::TempDir,
}
