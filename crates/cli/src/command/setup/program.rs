//! Whether the program lies where only root can put another in its place: systemd and libvirt run it as
//! root.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use accelnet_model::outside;

/// Root's user and group.
const ROOT: u32 = 0;
const GROUP_WRITES: u32 = 0o020;
const OTHERS_WRITE: u32 = 0o002;
/// Where a file's access control list is kept.
const ACL: &str = "system.posix_acl_access";

/// Why `program`, a path without symbolic links, must not run as root: another user than `owners` can
/// write it or a folder above it, up to `top`. None when no user can.
pub fn flaw(program: &Path, top: &Path, owners: &[u32]) -> Option<String> {
    let shown = |path: &Path| outside::escaped(&path.to_string_lossy()).into_owned();
    let Some(text) = program.to_str() else {
        return Some(format!("{} is no UTF-8 text", shown(program)));
    };
    if text.chars().any(outside::is_hidden) {
        let path = shown(program);
        return Some(format!("{path} has characters that cannot be seen"));
    }
    if text.contains(['"', '\'', '\\']) {
        return Some(format!(
            "systemd runs no program with a quote or a backslash in its path, as in {text}"
        ));
    }
    if !program.is_file() {
        return Some(format!("{text} is no file any more"));
    }
    let whole = program.ancestors().take_while(|path| path.starts_with(top));
    for path in whole {
        let found = match fs::symlink_metadata(path) {
            Ok(found) => found,
            Err(error) => return Some(format!("{} cannot be inspected: {error}", shown(path))),
        };
        let owner = found.uid();
        if !owners.contains(&owner) {
            return Some(format!("{} belongs to uid {owner}", shown(path)));
        }
        if found.mode() & OTHERS_WRITE != 0 {
            return Some(format!("every user can write {}", shown(path)));
        }
        // Bits of a group are the mask of an access control list, where there is one.
        if found.mode() & GROUP_WRITES != 0 && (found.gid() != ROOT || has_acl(path)) {
            let gid = found.gid();
            return Some(format!("group {gid} or others can write {}", shown(path)));
        }
    }
    None
}

fn has_acl(path: &Path) -> bool {
    let mut nothing: [u8; 0] = [];
    rustix::fs::lgetxattr(path, ACL, &mut nothing).is_ok_and(|size| size > 0)
}

#[cfg(test)]
mod tests;
