//! Where an etcd is: `etcd://HOST[:PORT][,HOST[:PORT]...][/PREFIX]`.

use std::fmt;
use std::str::FromStr;

/// The scheme before an address.
const SCHEME: &str = "etcd://";
/// etcd's port for clients.
const PORT: u16 = 2379;
/// Where accelnet's keys are by default.
const PREFIX: &str = "accelnet";

/// The members of an etcd, and the prefix of the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EtcdAddress {
    members: Vec<String>,
    prefix: String,
}

impl EtcdAddress {
    /// Whether `text` means an etcd rather than a file.
    pub fn is_etcd(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// The members, each `host:port`.
    pub fn members(&self) -> &[String] {
        &self.members
    }

    /// What every key begins with, ending in `/`.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl FromStr for EtcdAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |found: &str| {
            format!(
                "'{text}' is not the address of an etcd: {found}; use {SCHEME}HOST:PORT,HOST:PORT/PREFIX, \
                 where the port (default: {PORT}) and the prefix (default: {PREFIX}) are optional"
            )
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("it does not begin with etcd://"))?;
        let (hosts, prefix) = rest.split_once('/').unwrap_or((rest, PREFIX));
        let prefix = match prefix.trim_matches('/') {
            "" => PREFIX,
            prefix => prefix,
        };
        if !prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong(
                "its prefix has blanks or other characters than ASCII's",
            ));
        }
        let mut members: Vec<String> = Vec::new();
        for host in hosts.split(',') {
            let member = member(host).ok_or_else(|| match host {
                "" => wrong("a host has no name"),
                host => wrong(&format!("'{host}' is no host with a port")),
            })?;
            if !members.contains(&member) {
                members.push(member);
            }
        }
        Ok(Self {
            members,
            prefix: format!("/{prefix}/"),
        })
    }
}

/// `host:port` of a host with or without one. IPv6 addresses stand in brackets.
fn member(host: &str) -> Option<String> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']')?;
            address.parse::<std::net::Ipv6Addr>().ok()?;
            (format!("[{address}]"), port)
        }
        None => {
            let end = host.find(':').unwrap_or(host.len());
            let (name, port) = host.split_at(end);
            let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if name.is_empty() || !name.bytes().all(fits) {
                return None;
            }
            (name.to_owned(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
        None if port.is_empty() => PORT,
        None => return None,
    };
    Some(format!("{name}:{port}"))
}

impl fmt::Display for EtcdAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.prefix.trim_matches('/');
        write!(f, "{SCHEME}{}/{prefix}", self.members.join(","))
    }
}
