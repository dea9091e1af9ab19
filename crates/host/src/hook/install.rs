//! The scripts through which libvirt calls the hooks.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::put::put;

/// The scripts, by their names below libvirt's folder of hooks. libvirt runs all that are in such
/// a folder, by name.
const SCRIPTS: [(&str, &str); 2] = [(NETWORK_SCRIPT, NETWORK), ("qemu.d/accelnet", QEMU)];
/// Mode of the scripts: anybody may run them, only root may write them.
pub const SCRIPT_MODE: u32 = 0o755;
/// A line that every script of ours has.
const OURS: &str = "Written by accelnet";
/// The network hook, below libvirt's folder of hooks.
pub const NETWORK_SCRIPT: &str = "network.d/accelnet";
/// What a script is called while it is written: libvirt runs no file of that name.
pub const NEW: &str = ".accelnet.new";

const NETWORK: &str = "#!/bin/sh
# Applies the settings of VMs to their VFs. Written by accelnet; changes are overwritten.
# It never fails: libvirt would not start the VM.
accelnet=PROGRAM
if [ -x \"$accelnet\" ]; then
    \"$accelnet\" __hook network \"$@\"
else
    cat > /dev/null
fi
exit 0
";

const QEMU: &str = "#!/bin/sh
# Lets VMs in that come from another node when no VF is free. Written by accelnet; changes are
# overwritten. It never fails: libvirt would not let the VM in.
accelnet=PROGRAM
case \"$2 $3\" in
'migrate begin' | 'start begin' | 'release end')
    if [ -x \"$accelnet\" ]; then
        \"$accelnet\" __hook qemu \"$@\"
        exit 0
    fi
    ;;
esac
cat > /dev/null
exit 0
";

/// The script could not be put there.
#[derive(Debug, thiserror::Error)]
#[error("write libvirt's hook {path}: {error}")]
pub struct InstallError {
    path: PathBuf,
    error: io::Error,
}

/// Puts scripts that call `program` into `hooks`, libvirt's folder `/etc/libvirt/hooks`; whether one was not
/// there before as it is now. libvirt searches for new hooks when it starts or is asked to
/// reload (`systemctl reload`).
///
/// # Errors
///
/// The folder or the file cannot be written.
pub fn install(hooks: &Path, program: &Path) -> Result<bool, InstallError> {
    // Not beside it: libvirt runs whatever is in that folder.
    let new = hooks.join(NEW);
    let mut changed = false;
    for (name, script) in scripts(program) {
        let path = hooks.join(name);
        let put = put(&path, &new, &script, SCRIPT_MODE);
        changed |= put.map_err(|error| InstallError { path, error })?;
    }
    Ok(changed)
}

/// The scripts that call `program`: names below libvirt's folder of hooks, and texts.
pub fn scripts(program: &Path) -> impl Iterator<Item = (&'static str, String)> {
    let program = quoted(&program.display().to_string());
    let scripts = SCRIPTS.into_iter();
    scripts.map(move |(name, script)| (name, script.replace("PROGRAM", &program)))
}

/// Whether accelnet has written that script.
pub fn is_ours(script: &str) -> bool {
    script.contains(OURS)
}

/// Whether a script that calls `program` is not there as it is to be.
pub fn differs(hooks: &Path, program: &Path) -> bool {
    scripts(program).any(|(name, script)| {
        let path = hooks.join(name);
        let mode = fs::symlink_metadata(&path).map(|found| found.permissions().mode() & 0o7777);
        let same = fs::read(&path).is_ok_and(|text| text == script.as_bytes());
        !same || !mode.is_ok_and(|mode| mode == SCRIPT_MODE)
    })
}

/// A word of a shell script.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The program that an installed script calls.
pub fn program_of(script: &str) -> Option<String> {
    let mut lines = script.lines();
    let word = lines.find_map(|line| line.strip_prefix("accelnet='"))?;
    Some(word.strip_suffix('\'')?.replace(r"'\''", "'"))
}
