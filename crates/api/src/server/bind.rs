//! The socket file: made, replaced when it is stale, refused when an agent serves it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fd::OwnedFd;
use rustix::fs::{FlockOperation, Mode, OFlags, flock, open};

/// Why a socket cannot be had. The text fits after "failed to serve".
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another agent serves it.
    #[error("{}: {owner} serves it already", path.display())]
    Served {
        /// The socket.
        path: PathBuf,
        /// Who, with its process id where that is known.
        owner: String,
    },
    /// Something that is no socket has its name.
    #[error("{}: a file of that name exists and is not a socket", .0.display())]
    NoSocket(PathBuf),
    /// The kernel refused.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Its words.
        source: io::Error,
    },
}

/// Anybody may connect: who may change anything is asked on each connection.
const SOCKET_MODE: u32 = 0o666;
const FOLDER_MODE: u32 = 0o755;
/// Connections that the kernel keeps until they are taken: more than anybody can make in the meantime.
const BACKLOG: i32 = 4096;

/// Makes the socket at `path`; gives it with the lock of its owner.
pub fn bind(path: &Path) -> Result<(UnixListener, OwnedFd), BindError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(FOLDER_MODE)
            .create(folder)
            .map_err(at(folder))?;
    }
    let lock = lock(path)?;
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(at(path)(error)),
        Ok(there) if !there.file_type().is_socket() => {
            return Err(BindError::NoSocket(path.to_owned()));
        }
        // No agent serves it, but another program might.
        Ok(_) if UnixStream::connect(path).is_ok() => return Err(served(path)),
        Ok(_) => {}
    }
    // Bound beside it and moved there: no client meets it before anybody may connect, and there
    // is no moment without a socket.
    let new = beside(path, "new");
    if fs::symlink_metadata(&new).is_ok() {
        fs::remove_file(&new).map_err(at(&new))?;
    }
    let listener = UnixListener::bind(&new).map_err(at(&new))?;
    rustix::net::listen(&listener, BACKLOG).map_err(|errno| at(&new)(errno.into()))?;
    fs::set_permissions(&new, Permissions::from_mode(SOCKET_MODE)).map_err(at(&new))?;
    fs::rename(&new, path).map_err(at(path))?;
    Ok((listener, lock))
}

/// Locks the file beside the socket.
fn lock(path: &Path) -> Result<OwnedFd, BindError> {
    let file = beside(path, "lock");
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let lock =
        open(&file, flags, Mode::from_raw_mode(0o600)).map_err(|errno| at(&file)(errno.into()))?;
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(lock),
        Err(rustix::io::Errno::WOULDBLOCK) => Err(served(path)),
        Err(errno) => Err(at(&file)(errno.into())),
    }
}

/// The kernel keeps who began to listen on a socket.
fn served(path: &Path) -> BindError {
    let owner = UnixStream::connect(path)
        .ok()
        .and_then(|stream| rustix::net::sockopt::socket_peercred(&stream).ok())
        .map_or_else(
            || "another process".to_owned(),
            |owner| format!("process {}", owner.pid.as_raw_nonzero()),
        );
    BindError::Served {
        path: path.to_owned(),
        owner,
    }
}

fn beside(path: &Path, kind: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(kind);
    PathBuf::from(name)
}

fn at(path: &Path) -> impl Fn(io::Error) -> BindError {
    let path = path.to_owned();
    move |source| BindError::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests;
