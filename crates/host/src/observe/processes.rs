//! Which processes hold which device files.

use accelnet_model::Observed;
use accelnet_pci::Root;

/// A process that holds a device file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: u32,
    /// Its name, or the guest that its command line names.
    pub name: String,
    /// What it holds.
    pub device: String,
}

/// Every process that holds a file below `/dev` of those that VFs are held by. Unknown
/// where some process could not be inspected.
pub fn holders(root: &Root) -> Observed<Vec<Holder>> {
    let processes = match root.names("/proc") {
        Ok(names) => names,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let mut holders = Vec::new();
    let mut hidden = None;
    for pid in processes.iter().filter_map(|name| name.parse::<u32>().ok()) {
        let folder = format!("/proc/{pid}/fd");
        let files = match root.names(&folder) {
            Ok(files) => files,
            // It ended meanwhile.
            Err(error) if error.is_missing() => continue,
            Err(error) => {
                hidden = Some(error.to_string());
                continue;
            }
        };
        for file in files {
            if let Ok(Some(target)) = root.link(&format!("{folder}/{file}"))
                && let Some(device) = device(&target.to_string_lossy())
            {
                holders.push(Holder {
                    pid,
                    name: name(root, pid),
                    device,
                });
            }
        }
    }
    match hidden {
        None => Observed::Known(holders),
        Some(reason) => Observed::unknown(reason),
    }
}

/// The device file that an open file is, if it is of a kind that VFs are held by.
fn device(target: &str) -> Option<String> {
    let path = target.strip_suffix(" (deleted)").unwrap_or(target);
    let known = ["/dev/vfio/", "/dev/uio", "/dev/infiniband/uverbs"];
    let held = known.iter().any(|prefix| path.starts_with(prefix)) && path != "/dev/vfio/vfio";
    held.then(|| path.to_owned())
}

/// `comm`, and the guest where the command line is QEMU's.
fn name(root: &Root, pid: u32) -> String {
    let comm = root
        .text(&format!("/proc/{pid}/comm"))
        .unwrap_or_else(|_| "unnamed".to_owned());
    match guest(root, pid) {
        Some(guest) => format!("{comm}, guest {guest}"),
        None => comm,
    }
}

/// `guest=NAME` of QEMU's `-name`.
pub(super) fn guest(root: &Root, pid: u32) -> Option<String> {
    let line = root.read(&format!("/proc/{pid}/cmdline")).ok()?;
    let mut words = line.split(|byte| *byte == 0);
    words.find(|word| *word == b"-name")?;
    // A comma within a name is doubled (QEMU's `-name`).
    let value = String::from_utf8_lossy(words.next()?).replace(",,", "\0");
    let mut parts = value.split(',');
    let named = parts.clone().find_map(|part| part.strip_prefix("guest="));
    let name = named.or_else(|| parts.next())?;
    Some(name.replace('\0', ","))
}

#[cfg(test)]
mod tests;
