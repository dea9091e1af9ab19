//! The agent as systemd runs it: on which store, stopped and started.

mod environment;

use std::fs;

use accelnet_model::{Code, NodeName, Problem};
use accelnet_store::EtcdAddress;
use clap::Parser;

use super::setup::kept;
use super::setup::steps::{command, failed, remove, step, write};
use crate::args::{Place, StoreArgs, TlsArgs};
use crate::session::Session;
use crate::system::{self, System};

/// What the unit reads for the agent's command line.
pub const FILE: &str = "/etc/accelnet/agent.env";
/// Its mode: root's, whose command line has no secret, and private.
const MODE: u32 = 0o640;
/// What is kept of another one.
const OLD: &str = "/etc/accelnet/agent.env.old";
/// What begins a file that was written here.
const OURS: &str = "# Written by 'accelnet cluster'";
/// Its only variable.
const VARIABLE: &str = "ACCELNET_STORE";

/// The etcd of a node.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it is.
    pub store: EtcdAddress,
    /// How it is reached.
    pub tls: TlsArgs,
    /// The node's name, where it is not its host name.
    pub node: Option<NodeName>,
}

#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    store: StoreArgs,
    #[arg(long)]
    node: Option<NodeName>,
}

impl Settings {
    /// What stands in the file.
    fn text(&self) -> String {
        let mut words = vec!["--store".to_owned(), self.store.to_string()];
        words.extend(self.tls.words());
        if let Some(node) = &self.node {
            words.extend(["--node".to_owned(), node.to_string()]);
        }
        format!(
            "{OURS}: words for 'accelnet agent'.\n{}",
            environment::line(VARIABLE, &words)
        )
    }

    /// What such a text means; none when it names no etcd.
    fn read(text: &str) -> Result<Option<Self>, String> {
        let Some(words) = environment::words(text, VARIABLE) else {
            return Ok(None);
        };
        let mut pairs = words.windows(2);
        if !pairs.any(|pair| pair[0] == "--store" && EtcdAddress::is_etcd(&pair[1])) {
            return Ok(None);
        }
        let line = Line::try_parse_from(words).map_err(|error| error.kind().to_string())?;
        Ok(match line.store.store {
            Place::File(_) => None,
            Place::Etcd(store) => Some(Settings {
                store,
                tls: line.store.tls,
                node: line.node,
            }),
        })
    }
}

/// The etcd of this node; none of a cluster of one.
///
/// # Errors
///
/// The file cannot be read, or has other words than 'accelnet cluster' writes.
pub fn settings(system: &dyn System) -> Result<Option<Settings>, Problem> {
    let text = match fs::read_to_string(system::at(system, FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(FILE, &error.to_string())),
    };
    Settings::read(&text).map_err(|why| failed(&format!("read {FILE}"), &why))
}

/// The configured name of the agent, or the host's.
///
/// # Errors
///
/// The host's name is none that a node can have.
pub fn node_name(said: Option<&NodeName>, session: &Session<'_>) -> Result<NodeName, Problem> {
    if let Some(said) = said {
        return Ok(said.clone());
    }
    let name = session.host.root.text("/proc/sys/kernel/hostname");
    let name = name.unwrap_or_else(|_| "localhost".to_owned());
    name.parse()
        .map_err(|error: accelnet_model::node_name::NotANodeName| {
            Problem::new(
                Code::BadRequest,
                &[],
                format!("The host name of this machine is not a valid node name: {error}."),
            )
            .needed("A host name (RFC 1123).")
            .resolution("Set one with 'hostnamectl hostname NAME', or add --node NAME.")
        })
}

/// Stops the agent.
///
/// # Errors
///
/// systemd refuses.
pub fn stop(dry: bool, session: &mut Session<'_>) -> Result<(), Problem> {
    let system = session.system;
    step(session, dry, "stop the agent", || {
        command(system, "systemctl", &["stop", "accelnet.service"])
    })
}

/// Lets the agent have that store, or with none a file of its own, and starts it again.
///
/// # Errors
///
/// The file cannot be written, or systemd refuses.
pub fn use_store(
    settings: Option<&Settings>,
    dry: bool,
    session: &mut Session<'_>,
) -> Result<(), Problem> {
    let system = session.system;
    let text = settings.map(Settings::text);
    keep_words_of_others(text.as_deref().unwrap_or_default(), dry, session)?;
    match text {
        Some(text) => step(session, dry, &format!("write {FILE}"), || {
            write(system, FILE, "env.new", &text, MODE)
        })?,
        None => step(session, dry, &format!("remove {FILE}"), || {
            remove(system, FILE)
        })?,
    }
    step(
        session,
        dry,
        "start the agent on it, now and at every boot",
        || {
            command(system, "systemctl", &["enable", "accelnet.service"])?;
            command(system, "systemctl", &["restart", "accelnet.service"])
        },
    )
}

/// Keeps a file that 'accelnet cluster' did not write, before `text` replaces it.
fn keep_words_of_others(text: &str, dry: bool, session: &mut Session<'_>) -> Result<(), Problem> {
    let system = session.system;
    let there = fs::read(system::at(system, FILE)).unwrap_or_default();
    if String::from_utf8_lossy(&there).starts_with(OURS) {
        return Ok(());
    }
    let Some(aside) = kept::aside(system, FILE, text, OLD)? else {
        return Ok(());
    };
    let what = format!("save the content of {FILE} to {aside}");
    step(session, dry, &what, || kept::keep(system, FILE, &aside))
}

#[cfg(test)]
mod tests;
