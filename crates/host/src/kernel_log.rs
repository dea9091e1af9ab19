//! What the kernel logs while something is done: the driver's own words for a refusal.

use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use accelnet_pci::Root;

/// Lines kept at most.
const MOST: usize = 8;

/// The kernel log from one moment on.
#[derive(Debug)]
pub struct KernelLog {
    device: Option<std::fs::File>,
}

impl KernelLog {
    /// From now on. Without permission to read the log nothing is seen.
    pub fn from_now(root: &Root) -> Self {
        let device = std::fs::OpenOptions::new()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NONBLOCK.bits() as i32)
            .open(root.locate("/dev/kmsg"))
            .ok();
        let device = device.and_then(|mut file| {
            file.seek(SeekFrom::End(0)).ok()?;
            Some(file)
        });
        KernelLog { device }
    }

    /// The messages since then that name `subject`, oldest first, as one line; none when
    /// there are none.
    pub fn about(mut self, subject: &str) -> Option<String> {
        let device = self.device.as_mut()?;
        let mut lines = Vec::new();
        let mut record = [0; 8192];
        // One read is one record (Documentation/ABI/testing/dev-kmsg); the log may grow
        // faster than it is read, so there is an end to it.
        for _ in 0..1000 {
            match device.read(&mut record) {
                Ok(0) => break,
                Ok(length) => {
                    let text = String::from_utf8_lossy(&record[..length]);
                    lines.extend(
                        text.lines()
                            .filter_map(message)
                            .filter(|line| line.contains(subject))
                            .map(str::to_owned),
                    );
                }
                // Records were overwritten before they were read: the next read goes on.
                Err(error) if error.raw_os_error() == Some(32) => {}
                Err(_) => break,
            }
        }
        let skip = lines.len().saturating_sub(MOST);
        let words = lines.split_off(skip).join("; ");
        (!words.is_empty()).then_some(words)
    }
}

/// The message of a record `priority,sequence,time,flags;message`.
fn message(record: &str) -> Option<&str> {
    record.split_once(';').map(|(_, message)| message.trim())
}

#[cfg(test)]
mod tests;
