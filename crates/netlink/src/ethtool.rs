//! Driver information and queue counts by ethtool's `ioctl` (`linux/ethtool.h`): ethtool
//! over netlink has no driver information.
#![expect(
    unsafe_code,
    reason = "SIOCETHTOOL takes a pointer inside `struct ifreq`"
)]

use std::io;
use std::os::fd::AsRawFd;

use accelnet_model::link::{Channels, DriverInfo};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

#[cfg(test)]
mod tests;

const ETHTOOL_GDRVINFO: u32 = 0x03;
const ETHTOOL_GCHANNELS: u32 = 0x3c;
const SIOCETHTOOL: u32 = 0x8946;

/// A struct that the kernel fills, by the command in its first number.
///
/// # Safety
///
/// The layout must be that of the kernel's struct for the command, and every bit pattern
/// must be valid.
unsafe trait EthtoolStruct {}

/// `struct ethtool_drvinfo`.
#[repr(C)]
struct RawDriverInfo {
    cmd: u32,
    driver: [u8; 32],
    version: [u8; 32],
    fw_version: [u8; 32],
    bus_info: [u8; 32],
    erom_version: [u8; 32],
    reserved2: [u8; 12],
    n_priv_flags: u32,
    n_stats: u32,
    testinfo_len: u32,
    eedump_len: u32,
    regdump_len: u32,
}

// SAFETY: the fields are those of `struct ethtool_drvinfo`, 196 bytes, all of them integers.
unsafe impl EthtoolStruct for RawDriverInfo {}

/// `struct ethtool_channels`: the command, four maxima, four counts.
#[repr(C)]
struct RawChannels([u32; 9]);

// SAFETY: the fields are those of `struct ethtool_channels`, 36 bytes, all of them integers.
unsafe impl EthtoolStruct for RawChannels {}

const _: () = assert!(size_of::<RawDriverInfo>() == 196 && size_of::<RawChannels>() == 36);

/// What the driver of netdev `name` reports about itself. Fields that it leaves empty, or fills
/// with `N/A`, are none.
///
/// # Errors
///
/// `ENODEV` for no such netdev here; `EOPNOTSUPP` where there is no driver to ask.
pub fn driver_info(name: &str) -> io::Result<DriverInfo> {
    let mut raw = RawDriverInfo {
        cmd: ETHTOOL_GDRVINFO,
        driver: [0; 32],
        version: [0; 32],
        fw_version: [0; 32],
        bus_info: [0; 32],
        erom_version: [0; 32],
        reserved2: [0; 12],
        n_priv_flags: 0,
        n_stats: 0,
        testinfo_len: 0,
        eedump_len: 0,
        regdump_len: 0,
    };
    ask(name, &mut raw)?;
    Ok(DriverInfo {
        driver: text(&raw.driver).unwrap_or_default(),
        version: text(&raw.version),
        firmware: text(&raw.fw_version),
        bus: text(&raw.bus_info),
    })
}

/// Queue counts of netdev `name`; none where its driver has no control of them.
///
/// # Errors
///
/// `ENODEV` for no such netdev here.
pub fn channels(name: &str) -> io::Result<Option<Channels>> {
    let mut raw = RawChannels([0; 9]);
    raw.0[0] = ETHTOOL_GCHANNELS;
    match ask(name, &mut raw) {
        Ok(()) => {}
        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => return Ok(None),
        Err(error) => return Err(error),
    }
    // Index 3 and 7 are queues for other purposes than traffic.
    let [_, max_rx, max_tx, _, max_combined, rx, tx, _, combined] = raw.0;
    Ok(Some(Channels {
        rx,
        tx,
        combined,
        max_rx,
        max_tx,
        max_combined,
    }))
}

/// Text up to its NUL; none where the driver has none.
fn text(bytes: &[u8]) -> Option<String> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let text = String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]);
    let text = text.trim();
    let empty = text.is_empty() || text.eq_ignore_ascii_case("n/a");
    (!empty).then(|| text.to_owned())
}

fn ask<T: EthtoolStruct>(name: &str, raw: &mut T) -> io::Result<()> {
    if name.is_empty() || name.len() >= libc::IFNAMSIZ || name.contains('\0') {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    // SAFETY: `struct ifreq` is made of integers, arrays of them, and a pointer that may
    // be null: all zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    request.ifr_ifru.ifru_data = std::ptr::from_mut(raw).cast();
    let socket = socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // SAFETY: the descriptor is open; `request` is a whole `struct ifreq` whose name ends
    // in a NUL, as it is shorter than the array; its pointer is to a struct that is
    // exclusively borrowed and, by `EthtoolStruct`, of the size that the kernel writes.
    let result = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            SIOCETHTOOL as _,
            std::ptr::from_mut(&mut request),
        )
    };
    match result {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
