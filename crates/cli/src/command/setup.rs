//! `accelnet setup`: makes a node ready for its agent. What stands in the way is found before anything is
//! written, and each step can be done twice.

mod apparmor;
pub(super) mod kept;
mod program;
pub(super) mod steps;
mod unit;

use std::fs;
use std::path::{Path, PathBuf};

use accelnet_host::hook::{self, access};
use accelnet_model::{Code, Problem};

use super::Result;
use crate::args::Setup;
use crate::session::Session;
use crate::system::{self, System};
use steps::{Step, command, failed, needs_root, remove, step, succeeds, take, write};

const UNIT_FILE: &str = "/etc/systemd/system/accelnet.service";
/// What is kept of another unit: systemd reads no file of that name.
const OLD_UNIT: &str = "/etc/systemd/system/accelnet.service.old";
const UNIT_MODE: u32 = 0o644;
const HOOKS: &str = "/etc/libvirt/hooks";
/// It is there from before hooks are written until libvirt's daemons have read them.
const NEW_HOOKS: &str = "/etc/libvirt/hooks/.accelnet.unread";
const NEW_HOOKS_MODE: u32 = 0o644;
/// libvirt's daemons that run hooks: the one of old, and the modular ones.
const DAEMONS: [&str; 3] = [
    "libvirtd.service",
    "virtnetworkd.service",
    "virtqemud.service",
];
/// systemd is what runs the machine.
const SYSTEMD: &str = "/run/systemd/system";

/// Does the steps, and reports which.
pub fn run(args: &Setup, session: &mut Session<'_>) -> Result {
    let dry = args.dry_run;
    let system = session.system;
    if !dry {
        needs_root(system)?;
    }
    let program = own_program(system)?;
    if !system::at(system, SYSTEMD).is_dir() {
        return Err(failed(
            "look for systemd",
            &format!("{SYSTEMD} does not exist"),
        ));
    }
    take(plan(system, &program)?, dry, session)?;
    // The agent does its work without the hook, too: what was found is reported last.
    let tried = try_hook(session, dry);
    let start = Step::new("start the agent, now and at every boot", || {
        command(system, "systemctl", &["enable", "accelnet.service"])?;
        command(system, "systemctl", &["restart", "accelnet.service"])
    });
    take(vec![start], dry, session)?;
    tried?;
    if !dry {
        session.print("Done. 'accelnet status' asks the agent; 'accelnet intent add NAME --compute --adapter NAME' is next.\n");
    }
    Ok(0)
}

/// This program, which root will run from now on.
fn own_program(system: &dyn System) -> std::result::Result<PathBuf, Problem> {
    let find = |error: std::io::Error| failed("find this program", &error.to_string());
    let program = system.program().map_err(find)?;
    match program::flaw(&program, &system.root().locate("/"), system.owners()) {
        None => Ok(program),
        Some(flaw) => {
            let what = "systemd and libvirt would run a program as root that others can replace";
            Err(Problem::new(Code::SetupFailed, &[what], format!("{flaw}."))
                .needed("A program that only root can write, in folders that only root can write.")
                .resolution("Install the program there, then run it: 'install -o root -g root -m 755 accelnet /usr/local/bin/accelnet', then '/usr/local/bin/accelnet setup'."))
        }
    }
}

/// What makes the node ready, short of its agent's start.
fn plan<'a>(system: &'a dyn System, program: &Path) -> std::result::Result<Vec<Step<'a>>, Problem> {
    let mut steps = Vec::new();
    if !succeeds(system, "getent", &["group", "accelnet"]) {
        steps.push(Step::new(
            "make the group accelnet: its members may change things",
            move || command(system, "groupadd", &["--system", "accelnet"]),
        ));
    }
    let unit = unit::text(program);
    steps.extend(keep(system, UNIT_FILE, &unit, OLD_UNIT)?);
    steps.push(Step::new(format!("write {UNIT_FILE}"), move || {
        // systemd reads no file that ends so.
        write(system, UNIT_FILE, "new", &unit, UNIT_MODE)?;
        // One that was interrupted before this has written the same.
        command(system, "systemctl", &["daemon-reload"])
    }));
    let unread = system::at(system, NEW_HOOKS).exists()
        || hook::differs(&system::at(system, HOOKS), program);
    if unread {
        steps.extend(keep_hooks(system, program)?);
        let program = program.to_owned();
        steps.push(Step::new(
            format!("install libvirt's hooks in {HOOKS}"),
            move || lay_hooks(system, &program),
        ));
    }
    steps.extend(apparmor::steps(system, &program.to_string_lossy()));
    if unread {
        for daemon in DAEMONS {
            if succeeds(system, "systemctl", &["is-active", daemon]) {
                steps.push(Step::new(
                    format!("restart {daemon}, which reads hooks at its start (VMs keep running)"),
                    move || command(system, "systemctl", &["reload-or-restart", daemon]),
                ));
            }
        }
        steps.push(Step::new(
            "note that libvirt has read its hooks",
            move || remove(system, NEW_HOOKS),
        ));
    }
    Ok(steps)
}

/// Keeps what `path` has, where it has something else than `text`.
fn keep<'a>(
    system: &'a dyn System,
    path: &'static str,
    text: &str,
    aside: &str,
) -> std::result::Result<Option<Step<'a>>, Problem> {
    let aside = kept::aside(system, path, text, aside)?;
    Ok(aside.map(|aside| {
        let what = format!("save the content of {path} to {aside}");
        Step::new(what, move || kept::keep(system, path, &aside))
    }))
}

/// Keeps scripts of another user that have the names of ours, where libvirt does not run them.
fn keep_hooks<'a>(
    system: &'a dyn System,
    program: &Path,
) -> std::result::Result<Vec<Step<'a>>, Problem> {
    let mut steps = Vec::new();
    for (name, script) in hook::scripts(program) {
        let path = format!("{HOOKS}/{name}");
        let aside = format!("{HOOKS}/.{}.old", name.replace('/', "-"));
        let Some(aside) = kept::aside(system, &path, &script, &aside)? else {
            continue;
        };
        let there = fs::read(system::at(system, &path)).unwrap_or_default();
        if !hook::is_ours(&String::from_utf8_lossy(&there)) {
            let what = format!("save the content of {path} to {aside}");
            steps.push(Step::new(what, move || kept::keep(system, &path, &aside)));
        }
    }
    Ok(steps)
}

fn lay_hooks(system: &dyn System, program: &Path) -> std::result::Result<(), Problem> {
    write(system, NEW_HOOKS, "new", "", NEW_HOOKS_MODE)?;
    // Not beside it: libvirt runs whatever is in that folder.
    let new = system::at(system, HOOKS).join(hook::NEW);
    for (name, script) in hook::scripts(program) {
        let path = format!("{HOOKS}/{name}");
        system::put(system, &path, &new, &script, hook::SCRIPT_MODE)
            .map_err(|error| failed(&format!("lay the hook {path}"), &error.to_string()))?;
    }
    Ok(())
}

/// Runs the hook as libvirt does, under each enforced profile of its daemons.
fn try_hook(session: &mut Session<'_>, dry: bool) -> std::result::Result<(), Problem> {
    let system = session.system;
    let script = system::at(system, &format!("{HOOKS}/{}", hook::NETWORK_SCRIPT));
    let script = script.to_string_lossy();
    let words = [&*script, "accelnet", hook::TRIED, "begin", "-"];
    let profiles = access::enforced(system.root());
    let mut tries: Vec<(String, Vec<&str>)> = Vec::new();
    for profile in &profiles {
        let under = ["aa-exec", "-p", profile, "--"].into_iter().chain(words);
        tries.push((
            format!("try the hook under AppArmor's profile {profile}"),
            under.collect(),
        ));
    }
    if profiles.is_empty() {
        tries.push(("try the hook".to_owned(), words.to_vec()));
    }
    for (what, line) in tries {
        step(session, dry, &what, || {
            let [hook, words @ ..] = &line[..] else {
                return Ok(());
            };
            // A trial of before reports nothing.
            remove(system, hook::TRIAL)?;
            let wrong = |error: std::io::Error| failed(&what, &error.to_string());
            system.before(&what).map_err(wrong)?;
            let ran = succeeds(system, hook, words);
            match system::at(system, hook::TRIAL).exists() {
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
    if let Some(access) = access::read(system.root()).known()
        && access.selinux
    {
        session.print(&format!(
            "SELinux confines libvirt's hooks: run 'setsebool -P {} on'.\n",
            access::SELINUX_BOOLEAN
        ));
    }
    Ok(())
}
