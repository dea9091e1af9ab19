//! `accelnet setup`: makes a node ready for its agent. Each step can be done twice.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use accelnet_host::hook::{self, access};
use accelnet_model::{Code, Problem};
use accelnet_pci::Root;

use super::Result;
use crate::args::Setup;
use crate::session::Session;

const UNIT: &str = include_str!("../../../../packaging/accelnet.service");
const UNIT_FILE: &str = "/etc/systemd/system/accelnet.service";
const HOOKS: &str = "/etc/libvirt/hooks";
/// libvirt's daemons that run hooks: the one of old, and the modular ones.
const DAEMONS: [&str; 3] = [
    "libvirtd.service",
    "virtnetworkd.service",
    "virtqemud.service",
];

/// Does the steps, and says which.
pub fn run(args: &Setup, session: &mut Session<'_>) -> Result {
    let dry = args.dry_run;
    if !runs(&mut quiet("getent", &["group", "accelnet"])) {
        step(
            session,
            dry,
            "make the group accelnet: its members may change things",
            || command("groupadd", &["--system", "accelnet"]),
        )?;
    }
    let program =
        std::env::current_exe().map_err(|error| failed("find this program", &error.to_string()))?;
    let unit = UNIT.replace("/usr/local/bin/accelnet", &program.display().to_string());
    if fs::read_to_string(UNIT_FILE).ok().as_deref() != Some(&unit) {
        step(session, dry, &format!("write {UNIT_FILE}"), || {
            fs::write(UNIT_FILE, &unit).map_err(|error| failed(UNIT_FILE, &error.to_string()))?;
            command("systemctl", &["daemon-reload"])
        })?;
    }
    let mut new_hook = false;
    step(
        session,
        dry,
        &format!("lay libvirt's hooks into {HOOKS}"),
        || {
            new_hook = hook::install(Path::new(HOOKS), &program)
                .map_err(|error| failed("lay the hook", &error.to_string()))?;
            Ok(())
        },
    )?;
    let root = Root::system();
    let program = program.display().to_string();
    allow_by_apparmor(session, dry, &root, &program)?;
    if new_hook {
        for daemon in DAEMONS {
            if runs(&mut quiet("systemctl", &["is-active", daemon])) {
                let words = format!(
                    "restart {daemon}, which looks for hooks when it starts (VMs go on running)"
                );
                step(session, dry, &words, || {
                    command("systemctl", &["reload-or-restart", daemon])
                })?;
            }
        }
    }
    // The agent does its work without the hook, too: what was found is said last.
    let tried = try_hook(session, dry, &root);
    step(
        session,
        dry,
        "start the agent, now and at every boot",
        || {
            command("systemctl", &["enable", "accelnet.service"])?;
            command("systemctl", &["restart", "accelnet.service"])
        },
    )?;
    tried?;
    if !dry {
        session.say("Done. 'accelnet status' asks the agent; 'accelnet intent add NAME --compute --adapter NAME' is next.\n");
    }
    Ok(0)
}

/// Lets libvirt's daemons run the program where their AppArmor profiles are there and do not: the
/// profiles let programs of the system's folders run, and hooks inherit the profile.
fn allow_by_apparmor(
    session: &mut Session<'_>,
    dry: bool,
    root: &Root,
    program: &str,
) -> std::result::Result<(), Problem> {
    let enforced = access::enforced(root);
    for daemon in ["libvirtd", "virtqemud", "virtnetworkd"] {
        let (profile, local) = access::files(daemon);
        if !root.exists(&profile) || access::allows(root, daemon, program) {
            continue;
        }
        let words = format!("let {daemon} run {program}: add a rule to {local}");
        step(session, dry, &words, || {
            let failed = |error: std::io::Error| failed(&local, &error.to_string());
            let mut text = fs::read_to_string(&local).unwrap_or_default();
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text += &format!("# accelnet's hook\n{}\n", access::rule(program));
            if let Some(folder) = Path::new(&local).parent() {
                fs::create_dir_all(folder).map_err(failed)?;
            }
            fs::write(&local, text).map_err(failed)
        })?;
        let loaded = enforced.iter().any(|name| name.ends_with(daemon));
        if loaded {
            step(session, dry, &format!("load {profile} anew"), || {
                command("apparmor_parser", &["--replace", &profile])
            })?;
        }
    }
    Ok(())
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

pub(super) fn step(
    session: &mut Session<'_>,
    dry: bool,
    what: &str,
    act: impl FnOnce() -> std::result::Result<(), Problem>,
) -> std::result::Result<(), Problem> {
    session.say(&format!("{what}\n"));
    match dry {
        true => Ok(()),
        false => act(),
    }
}

fn quiet(program: &str, words: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn runs(command: &mut Command) -> bool {
    command.status().is_ok_and(|status| status.success())
}

pub(super) fn command(program: &str, words: &[&str]) -> std::result::Result<(), Problem> {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed(program, &error.to_string()))?;
    match output.status.success() {
        true => Ok(()),
        false => {
            let words = format!("{program} {}", words.join(" "));
            Err(failed(
                &words,
                String::from_utf8_lossy(&output.stderr).trim(),
            ))
        }
    }
}

pub(super) fn failed(what: &str, words: &str) -> Problem {
    Problem::new(
        Code::NotAllowed,
        &["This user", "administrator"],
        format!("{what} failed: {words}."),
    )
    .needed("Root, on a machine with systemd and libvirt.")
    .resolution("Mend what is said, then run the same command again: it goes on where it stopped.")
}
