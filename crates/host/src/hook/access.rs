//! What may keep libvirt's hook from running: AppArmor profiles of libvirt's daemons, and SELinux.

use accelnet_model::Observed;
use accelnet_model::platform::HookAccess;
use accelnet_pci::Root;

use super::install::{NETWORK_SCRIPT, program_of};

/// libvirt's daemons that run hooks.
const DAEMONS: [&str; 3] = ["libvirtd", "virtqemud", "virtnetworkd"];
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
const RULES: &str = "/etc/apparmor.d";
const SELINUX: &str = "/sys/fs/selinux";
/// The boolean by which hooks run unconfined.
pub const SELINUX_BOOLEAN: &str = "virt_hooks_unconfined";
/// Folders from which the daemons' profiles let every program run.
const ALLOWED: [&str; 4] = ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/"];

/// Reads what the node's policies make of the hook that is installed.
pub fn read(root: &Root) -> Observed<HookAccess> {
    let script = match root.text(&format!("/etc/libvirt/hooks/{NETWORK_SCRIPT}")) {
        Ok(script) => script,
        Err(error) if error.is_missing() && root.exists("/etc") => {
            return Observed::Known(HookAccess::default());
        }
        Err(error) => return Observed::unknown(error.to_string()),
    };
    let Some(program) = program_of(&script) else {
        return Observed::unknown(
            "the hook's script names no program; 'accelnet setup' writes it again",
        );
    };
    let flag = |path: &str| root.text(&format!("{SELINUX}/{path}")).unwrap_or_default();
    // "1 1": as it is, and as it is to be.
    let boolean = flag(&format!("booleans/{SELINUX_BOOLEAN}"));
    let profiles = enforced(root);
    Observed::Known(HookAccess {
        apparmor: profiles
            .into_iter()
            .filter(|profile| !allows(root, profile, &program))
            .collect(),
        selinux: flag("enforce") == "1" && boolean.starts_with('0'),
        program: Some(program),
    })
}

/// The profiles of libvirt's daemons that are enforced.
pub fn enforced(root: &Root) -> Vec<String> {
    // A kernel without AppArmor has no such file.
    let text = root.text(PROFILES).unwrap_or_default();
    let profiles = text
        .lines()
        .filter_map(|line| line.strip_suffix(" (enforce)"));
    let of_libvirt = profiles.filter(|name| {
        let daemon = name.rsplit('/').next().unwrap_or(name);
        DAEMONS.contains(&daemon)
    });
    of_libvirt.map(str::to_owned).collect()
}

/// The file of a daemon's profile, and that of the node's own additions to it.
pub fn files(profile: &str) -> (String, String) {
    let daemon = profile.rsplit('/').next().unwrap_or(profile);
    (
        format!("{RULES}/usr.sbin.{daemon}"),
        format!("{RULES}/local/usr.sbin.{daemon}"),
    )
}

/// The rule that lets a profile run `program`, outside of the profile.
pub fn rule(program: &str) -> String {
    let special = ['\\', '*', '?', '[', ']', '{', '}', '^', '"', '@'];
    let mut path = String::new();
    for letter in program.chars() {
        if special.contains(&letter) {
            path.push('\\');
        }
        path.push(letter);
    }
    format!("\"{path}\" PUx,")
}

/// Whether the daemons' profiles let `program` run by their own rules for the system's folders.
pub fn in_system(program: &str) -> bool {
    ALLOWED.iter().any(|folder| {
        let name = program.strip_prefix(folder);
        name.is_some_and(|name| !name.contains('/'))
    })
}

/// Whether the daemons' profile lets `program` run: by its own rules for the system's folders, or by
/// ours.
pub fn allows(root: &Root, profile: &str, program: &str) -> bool {
    let (_, local) = files(profile);
    let text = root.text(&local).unwrap_or_default();
    let rule = rule(program);
    in_system(program) || text.lines().any(|line| line.trim() == rule)
}

#[cfg(test)]
mod tests;
