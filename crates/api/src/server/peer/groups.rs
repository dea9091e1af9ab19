//! The groups of the client that connected (`SO_PEERGROUPS` of `unix(7)`, since Linux 4.13).
#![expect(
    unsafe_code,
    reason = "no crate in use has SO_PEERGROUPS; /proc would tell the groups of whatever process has the id by now"
)]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// More groups than a process can have (`NGROUPS_MAX`).
const MOST: usize = 65_536;

/// Ids of its supplementary groups.
///
/// # Errors
///
/// The kernel's refusal.
pub fn of(socket: impl AsFd) -> io::Result<Vec<u32>> {
    let fd = socket.as_fd().as_raw_fd();
    let mut groups: Vec<u32> = vec![0; 64];
    loop {
        let mut bytes = libc::socklen_t::try_from(groups.len() * size_of::<u32>())
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        // SAFETY: the pointer is to as many writable bytes as `bytes` says, and `fd` is
        // borrowed until the end of this function.
        let status = unsafe {
            libc::getsockopt(
                fd,
                libc::SOL_SOCKET,
                libc::SO_PEERGROUPS,
                groups.as_mut_ptr().cast(),
                &raw mut bytes,
            )
        };
        if status == 0 {
            groups.truncate(bytes as usize / size_of::<u32>());
            return Ok(groups);
        }
        let error = io::Error::last_os_error();
        // ERANGE: `bytes` is now their number.
        let room = bytes as usize / size_of::<u32>();
        if error.raw_os_error() != Some(libc::ERANGE) || room > MOST || room <= groups.len() {
            return Err(error);
        }
        groups.resize(room, 0);
    }
}
