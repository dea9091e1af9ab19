//! AppArmor profiles of libvirt's daemons, which let programs of the system's folders run: hooks inherit
//! the profile.

use std::fs;
use std::io;

use accelnet_host::hook::access;
use accelnet_model::Problem;

use super::steps::{Step, command, failed, write};
use crate::system::{self, System};

/// Mode of the files below /etc/apparmor.d.
const MODE: u32 = 0o644;

/// What lets the daemons run the program where their profiles are there and do not. A profile with our rule
/// is loaded in any case: what was written may not have been loaded then.
pub fn steps<'a>(system: &'a dyn System, program: &str) -> Vec<Step<'a>> {
    let root = system.root();
    let enforced = access::enforced(root);
    let mut steps = Vec::new();
    for daemon in ["libvirtd", "virtqemud", "virtnetworkd"] {
        let (profile, local) = access::files(daemon);
        if !root.exists(&profile) || access::in_system(program) {
            continue;
        }
        if !access::allows(root, daemon, program) {
            let what = format!("let {daemon} run {program}: add a rule to {local}");
            let rule = access::rule(program);
            steps.push(Step::new(what, move || add(system, &local, &rule)));
        }
        if enforced.iter().any(|name| name.ends_with(daemon)) {
            steps.push(Step::new(format!("reload {profile}"), move || {
                command(system, "apparmor_parser", &["--replace", &profile])
            }));
        }
    }
    steps
}

fn add(system: &dyn System, local: &str, rule: &str) -> Result<(), Problem> {
    let mut text = match fs::read_to_string(system::at(system, local)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed(local, &error.to_string()));
        }
        read => read.unwrap_or_default(),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text += &format!("# accelnet's hook\n{rule}\n");
    write(system, local, "accelnet-new", &text, MODE)
}
