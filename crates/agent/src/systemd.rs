//! Notifications to systemd (sd_notify(3)).

use std::io;

/// Sends systemd one message, such as `READY=1`, if it gave this process a socket.
///
/// # Errors
///
/// The socket cannot be written.
#[expect(
    clippy::disallowed_methods,
    reason = "systemd passes its socket in the environment"
)]
pub fn notify(message: &str) -> io::Result<()> {
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
    socket.send_to_addr(message.as_bytes(), &address).map(drop)
}
