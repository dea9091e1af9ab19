//! The agent as systemd runs it: on which store, stopped and started.

use std::fs;
use std::path::Path;

use accelnet_model::Problem;
use accelnet_store::EtcdAddress;
use clap::Parser;

use super::setup::{command, failed, step};
use crate::args::{Place, StoreArgs, TlsArgs};
use crate::session::Session;

/// What the unit reads for the agent's command line.
pub const FILE: &str = "/etc/accelnet/agent.env";
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
    pub node: Option<String>,
}

#[derive(Debug, Parser)]
#[command(no_binary_name = true)]
struct Line {
    #[command(flatten)]
    store: StoreArgs,
    #[arg(long)]
    node: Option<String>,
}

impl Settings {
    /// What stands in the file.
    fn text(&self) -> String {
        let mut words = vec!["--store".to_owned(), self.store.to_string()];
        words.extend(self.tls.words());
        if let Some(node) = &self.node {
            words.extend(["--node".to_owned(), node.clone()]);
        }
        format!(
            "# Written by 'accelnet cluster': words for 'accelnet agent'.\n{VARIABLE}={}\n",
            words.join(" ")
        )
    }

    /// What such a text means; none when it names no etcd.
    fn read(text: &str) -> Option<Self> {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(VARIABLE)?.strip_prefix('='))?;
        let line = Line::try_parse_from(line.split_whitespace()).ok()?;
        match line.store.store {
            Place::File(_) => None,
            Place::Etcd(store) => Some(Settings {
                store,
                tls: line.store.tls,
                node: line.node,
            }),
        }
    }
}

/// The etcd of this node; none of a cluster of one.
pub fn settings() -> Option<Settings> {
    Settings::read(&fs::read_to_string(FILE).ok()?)
}

/// The name that the agent has: what was said, or the host's.
pub fn node_name(said: Option<&str>, session: &Session<'_>) -> String {
    said.map_or_else(
        || {
            let name = session.host.root.text("/proc/sys/kernel/hostname");
            name.unwrap_or_else(|_| "localhost".to_owned())
        },
        str::to_owned,
    )
}

/// Stops the agent.
///
/// # Errors
///
/// systemd refuses.
pub fn stop(dry: bool, session: &mut Session<'_>) -> Result<(), Problem> {
    step(session, dry, "stop the agent", || {
        command("systemctl", &["stop", "accelnet.service"])
    })
}

/// Lets the agent have that store, or with none a file of its own, and starts it anew.
///
/// # Errors
///
/// The file cannot be written, or systemd refuses.
pub fn use_store(
    settings: Option<&Settings>,
    dry: bool,
    session: &mut Session<'_>,
) -> Result<(), Problem> {
    let wrong = |error: std::io::Error| failed(FILE, &error.to_string());
    match settings {
        Some(settings) => step(session, dry, &format!("write {FILE}"), || {
            if let Some(folder) = Path::new(FILE).parent() {
                fs::create_dir_all(folder).map_err(wrong)?;
            }
            fs::write(FILE, settings.text()).map_err(wrong)
        })?,
        None => step(
            session,
            dry,
            &format!("remove {FILE}"),
            || match fs::remove_file(FILE) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(wrong(error)),
                _ => Ok(()),
            },
        )?,
    }
    step(
        session,
        dry,
        "start the agent on it, now and at every boot",
        || {
            command("systemctl", &["enable", "accelnet.service"])?;
            command("systemctl", &["restart", "accelnet.service"])
        },
    )
}

#[cfg(test)]
mod tests;
