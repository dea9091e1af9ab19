//! An agent behind both listeners, for what attacks it: see `crates/agent/benches/served.rs`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use accelnet_api::Client;
use accelnet_api::client::{Credentials, Remote};
use accelnet_model::Problem;

use crate::error::Error;
use crate::run::cargo;

/// The VM that is accelerated.
pub const VM: &str = "web";
/// Fields of its answer.
const FIELDS: [&str; 4] = ["process", "socket", "address", "folder"];

/// The agent; it ends with this value.
pub struct Served {
    child: Child,
    process: u32,
    socket: PathBuf,
    address: SocketAddr,
    folder: PathBuf,
}

impl Served {
    /// Builds and starts it, and waits until it answers.
    pub fn start() -> Result<Self, Error> {
        let mut command = cargo([
            "bench",
            "--quiet",
            "--package",
            "accelnet-agent",
            "--bench",
            "served",
        ]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|source| Error::NotStarted {
            program: "cargo".to_owned(),
            source,
        })?;
        let output = child.stdout.take();
        let lines = output.map(|output| BufReader::new(output).lines().map_while(Result::ok));
        let said = lines.into_iter().flatten().filter_map(|line| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_owned(), value.to_owned()))
        });
        let said: BTreeMap<String, String> = said.take(FIELDS.len()).collect();
        let get = |name: &str| said.get(name).cloned().unwrap_or_default();
        let missing = || Error::Bench("the agent says neither who nor where it is".to_owned());
        Ok(Served {
            process: get("process").parse().map_err(|_| missing())?,
            address: get("address").parse().map_err(|_| missing())?,
            socket: get("socket").into(),
            folder: get("folder").into(),
            child,
        })
    }

    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.process
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Its door to the network.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Root on the socket.
    pub fn root(&self) -> Client {
        Client::new(&self.socket)
    }

    /// An administrator with a certificate.
    pub fn administrator(&self) -> Result<Client, Error> {
        let server = format!("localhost:{}", self.address.port());
        let credentials = Credentials {
            ca: self.folder.join("ca.pem"),
            cert: self.folder.join("administrator.pem"),
            key: self.folder.join("administrator.key"),
        };
        let remote = Remote::new(&server, &credentials).map_err(|problem| {
            let Problem { message, found, .. } = problem;
            Error::Bench(format!("{message} {found}"))
        });
        remote.map(Client::remote)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The end of its input is its own.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}
