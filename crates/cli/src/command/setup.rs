//! `accelnet setup`: makes a node ready for its agent. What stands in the way is found before anything is
//! written, and each step can be done twice.

mod apparmor;
mod program;
pub(super) mod steps;
mod unit;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use accelnet_host::hook::{self, access};
use accelnet_host::put::put;
use accelnet_model::{Code, Problem};
use accelnet_pci::Root;

use super::Result;
use crate::args::Setup;
use crate::session::Session;
use steps::{Step, command, failed, needs_root, quiet, runs, step, take};

const UNIT_FILE: &str = "/etc/systemd/system/accelnet.service";
const UNIT_MODE: u32 = 0o644;
const HOOKS: &str = "/etc/libvirt/hooks";
/// It is there from before hooks are written until libvirt's daemons have looked for them.
const NEW_HOOKS: &str = "/etc/libvirt/hooks/.accelnet.unread";
/// libvirt's daemons that run hooks: the one of old, and the modular ones.
const DAEMONS: [&str; 3] = [
    "libvirtd.service",
    "virtnetworkd.service",
    "virtqemud.service",
];
/// systemd is what runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// Does the steps, and says which.
pub fn run(args: &Setup, session: &mut Session<'_>) -> Result {
    let dry = args.dry_run;
    if !dry {
        needs_root()?;
    }
    let root = Root::system();
    let program = own_program()?;
    if !Path::new(SYSTEMD).is_dir() {
        return Err(failed(
            "look for systemd",
            &format!("{SYSTEMD} is not there"),
        ));
    }
    take(plan(&root, &program), dry, session)?;
    // The agent does its work without the hook, too: what was found is said last.
    let tried = try_hook(session, dry, &root);
    let start = Step::new("start the agent, now and at every boot", || {
        command("systemctl", &["enable", "accelnet.service"])?;
        command("systemctl", &["restart", "accelnet.service"])
    });
    take(vec![start], dry, session)?;
    tried?;
    if !dry {
        session.say("Done. 'accelnet status' asks the agent; 'accelnet intent add NAME --compute --adapter NAME' is next.\n");
    }
    Ok(0)
}

/// This program, which root will run from now on.
fn own_program() -> std::result::Result<PathBuf, Problem> {
    let find = |error: std::io::Error| failed("find this program", &error.to_string());
    let program = std::env::current_exe().map_err(find)?;
    let program = fs::canonicalize(&program).map_err(find)?;
    match program::flaw(&program, Path::new("/"), &[0]) {
        None => Ok(program),
        Some(flaw) => {
            let what = "systemd and libvirt would run a program as root that others can replace";
            Err(Problem::new(Code::SetupFailed, &[what], format!("{flaw}."))
                .needed("A program that only root can write, in folders that only root can write.")
                .resolution("Copy it there and run that: 'install -o root -g root -m 755 accelnet /usr/local/bin/accelnet', then '/usr/local/bin/accelnet setup'."))
        }
    }
}

/// What makes the node ready, short of its agent's start.
fn plan(root: &Root, program: &Path) -> Vec<Step> {
    let mut steps = Vec::new();
    if !runs(&mut quiet("getent", &["group", "accelnet"])) {
        steps.push(Step::new(
            "make the group accelnet: its members may change things",
            || command("groupadd", &["--system", "accelnet"]),
        ));
    }
    let unit = unit::text(program);
    steps.push(Step::new(format!("write {UNIT_FILE}"), move || {
        let file = Path::new(UNIT_FILE);
        // systemd reads no file of that name.
        put(file, &file.with_extension("new"), &unit, UNIT_MODE)
            .map_err(|error| failed(UNIT_FILE, &error.to_string()))?;
        // One that was interrupted before this has written the same.
        command("systemctl", &["daemon-reload"])
    }));
    let unread = Path::new(NEW_HOOKS).exists() || hook::differs(Path::new(HOOKS), program);
    if unread {
        let program = program.to_owned();
        steps.push(Step::new(
            format!("lay libvirt's hooks into {HOOKS}"),
            move || lay_hooks(&program),
        ));
    }
    steps.extend(apparmor::steps(root, &program.to_string_lossy()));
    if unread {
        for daemon in DAEMONS {
            if runs(&mut quiet("systemctl", &["is-active", daemon])) {
                steps.push(Step::new(
                    format!(
                        "restart {daemon}, which looks for hooks when it starts (VMs go on running)"
                    ),
                    move || command("systemctl", &["reload-or-restart", daemon]),
                ));
            }
        }
        steps.push(Step::new("note that libvirt has read its hooks", || {
            fs::remove_file(NEW_HOOKS).map_err(|error| failed(NEW_HOOKS, &error.to_string()))
        }));
    }
    steps
}

fn lay_hooks(program: &Path) -> std::result::Result<(), Problem> {
    let mark = Path::new(NEW_HOOKS);
    put(mark, &mark.with_extension("new"), "", 0o644)
        .map_err(|error| failed(NEW_HOOKS, &error.to_string()))?;
    hook::install(Path::new(HOOKS), program)
        .map(drop)
        .map_err(|error| failed("lay the hook", &error.to_string()))
}

/// Runs the hook as libvirt does, under each enforced profile of its daemons.
fn try_hook(session: &mut Session<'_>, dry: bool, root: &Root) -> std::result::Result<(), Problem> {
    let script = format!("{HOOKS}/{}", hook::NETWORK_SCRIPT);
    let words = ["accelnet", hook::TRIED, "begin", "-"];
    let profiles = access::enforced(root);
    let mut tries: Vec<(String, Command)> = Vec::new();
    for profile in &profiles {
        let mut under = quiet("aa-exec", &["-p", profile, "--", &script]);
        under.args(words);
        tries.push((
            format!("try the hook under AppArmor's profile {profile}"),
            under,
        ));
    }
    if profiles.is_empty() {
        tries.push(("try the hook".to_owned(), quiet(&script, &words)));
    }
    for (what, mut hook) in tries {
        step(session, dry, &what, || {
            // A trial of before says nothing.
            drop(fs::remove_file(hook::TRIAL));
            let ran = runs(&mut hook);
            match Path::new(hook::TRIAL).exists() {
                true => Ok(()),
                false => Err(failed(
                    &what,
                    match ran {
                        true => "the script ran, and could not run the program",
                        false => "the script could not be run",
                    },
                )),
            }
        })?;
    }
    if let Some(access) = access::look(root).known()
        && access.selinux
    {
        session.say(&format!(
            "SELinux keeps libvirt's hooks confined: run 'setsebool -P {} on'.\n",
            access::SELINUX_BOOLEAN
        ));
    }
    Ok(())
}
