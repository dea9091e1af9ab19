//! Who is behind a connection, reported by the kernel.

mod groups;

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::sync::{Arc, Mutex, PoisonError};

use accelnet_model::Observed;
use rustix::net::sockopt::socket_peercred;
use tokio::net::UnixStream;

use super::places::Source;
use crate::types::Origin;
use crate::{Caller, Role};

/// The group whose members may change things, as root may.
pub const GROUP: &str = "accelnet";

/// Reports who is behind a connection.
pub trait Callers: Send + Sync {
    /// Who it is.
    fn caller(&self, stream: &UnixStream) -> Caller;

    /// Whose places it takes.
    fn source(&self, stream: &UnixStream) -> Source {
        user(socket_peercred(stream).ok().map(|peer| peer.uid.as_raw()))
    }
}

/// What the kernel kept when the connection was made: the process cannot change it any more,
/// and another one that gets its id does not either.
#[derive(Debug, Default)]
pub struct SocketCallers {
    users: SystemList,
    groups: SystemList,
}

/// A list of the system, read again when its file changes: a flood of connections asks for it each time.
#[derive(Debug, Default)]
struct SystemList(Mutex<Option<(Version, Arc<str>)>>);

/// Device, inode, size, and time of the last change of a file's inode in seconds and nanoseconds.
type Version = (u64, u64, u64, i64, i64);

impl SystemList {
    /// The text of the file at `path`, which is the same at each call; empty where it cannot be read.
    fn text(&self, path: &str) -> Arc<str> {
        let Ok(version) = fs::metadata(path).map(|file| version(&file)) else {
            return Arc::default();
        };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some((of, text)) if *of == version => text.clone(),
            _ => {
                let text: Arc<str> = fs::read_to_string(path).unwrap_or_default().into();
                *kept = Some((version, text.clone()));
                text
            }
        }
    }
}

fn version(file: &Metadata) -> Version {
    (
        file.dev(),
        file.ino(),
        file.size(),
        file.ctime(),
        file.ctime_nsec(),
    )
}

impl Callers for SocketCallers {
    fn caller(&self, stream: &UnixStream) -> Caller {
        let Ok(peer) = socket_peercred(stream) else {
            return from_socket(
                "a user that the kernel does not identify".to_owned(),
                Role::Reader,
            );
        };
        let uid = peer.uid.as_raw();
        if uid == 0 {
            return from_socket("root".to_owned(), Role::Administrator);
        }
        let peer = Peer {
            uid,
            gid: peer.gid.as_raw(),
            groups: groups::of(stream).into(),
        };
        let users = self.users.text("/etc/passwd");
        let mut caller = peer.judge(&users, &self.groups.text("/etc/group"));
        // The user of the agent could do by hand what the agent does.
        if uid == rustix::process::geteuid().as_raw() {
            caller.role = Role::Administrator;
        }
        caller
    }
}

/// Who runs this process, judged as one who asks by the socket is.
pub fn own_caller() -> Caller {
    let uid = rustix::process::getuid().as_raw();
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let groups = rustix::process::getgroups().unwrap_or_default();
    let peer = Peer {
        uid,
        gid: rustix::process::getgid().as_raw(),
        groups: Observed::Known(groups.into_iter().map(|group| group.as_raw()).collect()),
    };
    let caller = match uid {
        0 => from_socket("root".to_owned(), Role::Administrator),
        _ => peer.judge(&read("/etc/passwd"), &read("/etc/group")),
    };
    Caller {
        from: Origin::command_line(),
        ..caller
    }
}

fn from_socket(name: String, role: Role) -> Caller {
    Caller {
        name,
        role,
        from: Origin::socket(),
    }
}

/// The other side of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Peer {
    /// User id.
    uid: u32,
    /// Group id.
    gid: u32,
    /// Ids of its other groups.
    groups: Observed<Vec<u32>>,
}

impl Peer {
    /// Who it is, by the system's lists of users and groups; groups from elsewhere (LDAP)
    /// count as soon as [`GROUP`] itself is in the system's list, which a package makes it.
    fn judge(&self, passwd: &str, group: &str) -> Caller {
        let name = entries(passwd)
            .find(|entry| entry.id == Some(self.uid))
            .map(|entry| entry.name);
        let wanted = entries(group)
            .find(|entry| entry.name == GROUP)
            .and_then(|entry| entry.id);
        let member = wanted.is_some_and(|wanted| {
            let others = self.groups.known().map_or(&[][..], Vec::as_slice);
            self.gid == wanted || others.contains(&wanted)
        });
        let name = match name {
            Some(name) => format!("{name} (uid {})", self.uid),
            None => format!("uid {}", self.uid),
        };
        match self.uid == 0 || member {
            true => from_socket(name, Role::Administrator),
            false => from_socket(name, Role::Reader),
        }
    }
}

/// A line of `/etc/passwd` or `/etc/group`: name, password, id.
struct Entry<'a> {
    name: &'a str,
    id: Option<u32>,
}

fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    text.lines().map(|line| {
        let mut fields = line.split(':');
        Entry {
            name: fields.next().unwrap_or_default(),
            id: fields.nth(1).and_then(|id| id.parse().ok()),
        }
    })
}

/// Where a connection on the Unix socket came from.
pub fn user(uid: Option<u32>) -> Source {
    match uid {
        Some(uid) if uid == 0 || uid == rustix::process::geteuid().as_raw() => Source::Owner,
        Some(uid) => Source::User(uid),
        None => Source::User(u32::MAX),
    }
}

#[cfg(test)]
mod tests;
