//! Words to systemd (sd_notify(3)).

use std::io;

/// Tells systemd one word, such as `READY=1`.
///
/// # Errors
///
/// The kernel's, where systemd gave a socket that cannot be written to.
#[expect(
    clippy::disallowed_methods,
    reason = "systemd hands its socket over in the environment"
)]
pub fn notify(word: &str) -> io::Result<()> {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else {
        return Ok(());
    };
    let socket = std::os::unix::net::UnixDatagram::unbound()?;
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    let bytes = path.as_bytes();
    let address = match bytes.strip_prefix(b"@") {
        Some(name) => std::os::unix::net::SocketAddr::from_abstract_name(name)?,
        None => std::os::unix::net::SocketAddr::from_pathname(&path)?,
    };
    socket.send_to_addr(word.as_bytes(), &address).map(drop)
}
