//! What QEMU wrote into the log that libvirt keeps of a domain: its words for a VF that it refuses are
//! nowhere else.

use std::io::{Read, Seek, SeekFrom};

use accelnet_pci::Root;

#[cfg(test)]
mod tests;

/// How much of the end of a log is read.
const TAIL: u64 = 16 * 1024;
/// The longest that QEMU's words are quoted.
const LONGEST: usize = 300;
/// The line that libvirt writes at each start of a domain.
const START: &str = ": starting up";
/// What QEMU's words about a VF have in them.
const ABOUT: [&str; 4] = ["failover", "vfio", "hostdev", "Device assignment"];

/// The last that QEMU wrote about a VF since the domain called `vm` was started: one line, without its
/// time, printable whatever is in it. None when it wrote nothing of the kind, or nothing can be read.
pub fn messages_about_vf(root: &Root, vm: &str) -> Option<String> {
    let path = root.locate(&format!("/var/log/libvirt/qemu/{vm}.log"));
    let mut log = std::fs::File::open(path).ok()?;
    let length = log.seek(SeekFrom::End(0)).ok()?;
    log.seek(SeekFrom::Start(length.saturating_sub(TAIL)))
        .ok()?;
    let mut tail = Vec::new();
    log.take(TAIL).read_to_end(&mut tail).ok()?;
    last_messages(&String::from_utf8_lossy(&tail))
}

fn last_messages(log: &str) -> Option<String> {
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.iter().rposition(|line| line.contains(START));
    // The command line, which names devices, follows the start and has backslashes at its ends.
    let since = lines.get(start.map_or(0, |start| start + 1)..)?;
    let words = since.iter().rev().find_map(|line| {
        let (_, words) = line.split_once("qemu")?;
        let (program, words) = words.split_once(": ")?;
        let from_qemu = !program.contains([' ', '/', '=']);
        let about = ABOUT.iter().any(|word| words.contains(word));
        (from_qemu && about).then_some(words)
    })?;
    Some(printable(words.trim()))
}

/// Without what a terminal would act on, and not longer than is quoted.
fn printable(words: &str) -> String {
    let bidirectional = |one: char| matches!(one, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut quoted = String::new();
    for one in words.chars() {
        match one.is_control() || bidirectional(one) {
            true => quoted.extend(one.escape_unicode()),
            false => quoted.push(one),
        }
        if quoted.len() > LONGEST {
            quoted.push_str("...");
            break;
        }
    }
    quoted
}
