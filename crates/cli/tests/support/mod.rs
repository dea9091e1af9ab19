//! Types commands, as an administrator would, on nodes that never existed.
#![expect(dead_code, reason = "each test binary takes what it needs of this")]

use std::sync::Arc;

use accelnet::args::Args;
use accelnet::session::Session;
use accelnet_api::testing::{Fake, Fixed, Serving};
use accelnet_api::{Client, Service};
use accelnet_model::PciAddress;
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};
use clap::Parser;

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
    let args = match Args::try_parse_from(command.split(' ')) {
        Ok(args) => args,
        Err(error) => return not_parsed(&error),
    };
    let mut shown = run(&args, node, None, b"");
    let folder = node.folder.path().to_str().expect("a path");
    shown.out = shown.out.replace(folder, "");
    shown.err = shown.err.replace(folder, "");
    shown
}

fn run(args: &Args, node: &Booted, agent: Option<Client>, mut input: &[u8]) -> Shown {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let status = accelnet::run(
        args,
        &mut Session {
            host: node.host.host(),
            agent,
            input: &mut input,
            out: &mut out,
            err: &mut err,
            colour: false,
            width: None,
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

fn not_parsed(error: &clap::Error) -> Shown {
    let (out, err) = match error.use_stderr() {
        true => (String::new(), error.to_string()),
        false => (error.to_string(), String::new()),
    };
    let status = u8::try_from(error.exit_code()).expect("a status");
    Shown { out, err, status }
}

/// An agent in memory behind a real socket, and a node for what needs none.
pub struct Agent {
    /// The agent.
    pub fake: Arc<Fake>,
    folder: tempfile::TempDir,
    node: Booted,
    serving: Option<Serving>,
}

impl Agent {
    /// Serves `fake` to somebody who may change things.
    pub fn of(fake: Fake) -> Self {
        Agent::for_callers(fake, Fixed::root())
    }

    /// Serves it to `callers`.
    pub fn for_callers(fake: Fake, callers: Fixed) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let fake = Arc::new(fake);
        let service: Arc<dyn Service> = fake.clone();
        let serving = Serving::start_for(folder.path(), service, Arc::new(callers));
        Agent {
            fake,
            node: node(|igb| igb),
            serving: Some(serving.expect("a socket")),
            folder,
        }
    }

    /// The agent goes away.
    pub fn stop(&mut self) {
        self.serving = None;
    }

    /// Its socket.
    pub fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// Types `command`: words between blanks.
    pub fn types(&self, command: &str) -> Shown {
        self.types_with(command, "")
    }

    /// Types it with something on standard input.
    pub fn types_with(&self, command: &str, input: &str) -> Shown {
        match Args::try_parse_from(command.split(' ')) {
            Ok(args) => {
                let client = Client::new(self.socket());
                let shown = run(&args, &self.node, Some(client), input.as_bytes());
                let folder = self.folder.path().to_str().expect("a path");
                Shown {
                    out: shown.out.replace(folder, ""),
                    err: shown.err.replace(folder, ""),
                    ..shown
                }
            }
            Err(error) => not_parsed(&error),
        }
    }
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
