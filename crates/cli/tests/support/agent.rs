//! An agent to ask, and a node for what needs none.

use std::sync::Arc;

use accelnet::args::Args;
use accelnet_api::testing::{Fake, Fixed, Serving};
use accelnet_api::{Client, Service};

use crate::support::{Booted, Shown, node, not_parsed, run};

/// An agent in memory behind a real socket, and a node for what needs none.
pub struct Agent {
    /// The agent.
    pub fake: Arc<Fake>,
    folder: tempfile::TempDir,
    node: Booted,
    serving: Option<Serving>,
}

impl Agent {
    /// Serves `fake` to a user that may change things.
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
        match Args::read(command.split(' ')) {
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
            Err(error) => not_parsed(&error, command),
        }
    }
}
