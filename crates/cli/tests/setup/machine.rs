//! A machine in a folder: its systemd, its libvirt and its AppArmor do what setup relies on, and any effect
//! on it can fail or be the last one.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Output};
use std::rc::Rc;

use accelnet::args::Args;
use accelnet::session::Session;
use accelnet::system::System;
use accelnet_agent::journald::Journald;
use accelnet_api::types::Origin;
use accelnet_api::{Caller, Role};
use accelnet_host::hook;
use accelnet_pci::Root;
use clap::Parser;

use crate::support::{Booted, Shown, node};

pub const UNIT: &str = "/etc/systemd/system/accelnet.service";
pub const NETWORK: &str = "/etc/libvirt/hooks/network.d/accelnet";
pub const QEMU: &str = "/etc/libvirt/hooks/qemu.d/accelnet";
pub const RULES: &str = "/etc/apparmor.d/local/usr.sbin.libvirtd";
const PROGRAM: &str = "/usr/local/bin/accelnet";

/// Files by path: their mode and content, without the folder that the machine is in.
pub type Files = BTreeMap<String, (u32, String)>;

/// What its programs know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    pub group: bool,
    pub unit_loaded: Option<String>,
    pub enabled: bool,
    /// The unit that the agent runs by.
    pub running: Option<String>,
    /// The scripts that libvirt runs.
    pub hooks: Vec<Option<String>>,
    /// The additions to its profile.
    pub profile: Option<String>,
}

/// How an effect ends the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    Kill,
    Fail,
}

/// A machine, and where it is typed on.
pub struct Machine {
    _folder: tempfile::TempDir,
    top: PathBuf,
    root: Root,
    booted: Rc<Booted>,
    pub known: RefCell<Known>,
    pub user: u32,
    pub sudo_user: Option<String>,
    /// The effect that ends it, by its number, and how.
    pub end: Cell<Option<(usize, End)>>,
    effects: Cell<usize>,
    owners: [u32; 2],
    journald: Journald,
    records: UnixDatagram,
}

impl Machine {
    /// With libvirt's daemon under an enforced profile, and nothing of accelnet but the program.
    pub fn new() -> Self {
        Machine::on(Rc::new(node(|igb| igb)))
    }

    /// The same, whose kernel is that of a node that is there already.
    pub fn on(booted: Rc<Booted>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().join("root");
        let records = UnixDatagram::bind(folder.path().join("journal")).expect("a socket");
        records.set_nonblocking(true).expect("set");
        let machine = Machine {
            root: Root::new(&top),
            top,
            booted,
            known: RefCell::default(),
            user: 0,
            sudo_user: None,
            end: Cell::new(None),
            effects: Cell::new(0),
            owners: [0, rustix::process::geteuid().as_raw()],
            journald: Journald::at(folder.path().join("journal")),
            records,
            _folder: folder,
        };
        machine.write(PROGRAM, "the program");
        machine.write("/run/systemd/system/here", "");
        machine.write("/etc/apparmor.d/usr.sbin.libvirtd", "its profile");
        let profiles = "/sys/kernel/security/apparmor/profiles";
        machine.write(profiles, "libvirtd (enforce)\n");
        machine.write(RULES, "# ours\n");
        for path in ["/", "/usr", "/usr/local", "/usr/local/bin"] {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(machine.root.locate(path), mode).expect("set");
        }
        machine
    }

    pub fn write(&self, path: &str, text: &str) {
        let file = self.root.locate(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(&file, text).expect("written");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.locate(path)
    }

    /// What a file has, without the folder that the machine is in.
    pub fn read(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.root.locate(path)).ok()?;
        Some(text.replace(self.top(), ""))
    }

    fn top(&self) -> &str {
        self.top.to_str().expect("a path")
    }

    /// All files, but those that are being written.
    pub fn files(&self) -> Files {
        let mut files = Files::new();
        collect(&self.root.locate("/"), "", &mut files);
        files.retain(|path, _| !path.ends_with("new"));
        for (_, content) in files.values_mut() {
            *content = content.replace(self.top(), "");
        }
        files
    }

    /// Effects so far.
    pub fn effects(&self) -> usize {
        self.effects.get()
    }

    /// Types a command; none where an effect killed it.
    pub fn types(&self, line: &str) -> Option<Shown> {
        self.effects.set(0);
        let args = Args::try_parse_from(line.split(' ')).expect("a command");
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let ran = catch_unwind(AssertUnwindSafe(|| {
            accelnet::run(
                &args,
                &mut Session {
                    host: self.booted.host.host(),
                    system: self,
                    named: false,
                    changed: false,
                    agent: None,
                    input: &mut &b""[..],
                    out: &mut out,
                    err: &mut err,
                    colour: false,
                    width: None,
                    err_terminal: (false, None),
                    progress: false,
                },
            )
        }));
        let status = match ran {
            Ok(status) => status,
            Err(panic) if panic.is::<Killed>() => return None,
            Err(panic) => resume_unwind(panic),
        };
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Some(Shown {
            out: text(out),
            err: text(err),
            status,
        })
    }

    /// The records since the last time, by their fields.
    pub fn records(&self) -> Vec<BTreeMap<String, String>> {
        let mut records = Vec::new();
        let mut bytes = vec![0; 1 << 16];
        while let Ok(length) = self.records.recv(&mut bytes) {
            let text = std::str::from_utf8(&bytes[..length]).expect("text");
            let fields = text.lines().map(|line| {
                let (name, value) = line.split_once('=').expect("a field");
                (name.to_owned(), value.to_owned())
            });
            records.push(fields.collect());
        }
        records
    }

    fn systemctl(&self, words: &[&str]) -> bool {
        let mut known = self.known.borrow_mut();
        match words {
            ["daemon-reload"] => known.unit_loaded = self.read(UNIT),
            ["is-active", daemon] => return *daemon == "libvirtd.service",
            ["reload-or-restart", "libvirtd.service"] => {
                known.hooks = vec![self.read(NETWORK), self.read(QEMU)];
            }
            ["enable", "accelnet.service"] => known.enabled = true,
            ["stop", "accelnet.service"] => known.running = None,
            ["restart", "accelnet.service"] => known.running = known.unit_loaded.clone(),
            _ => return false,
        }
        true
    }

    fn does(&self, program: &str, words: &[&str]) -> bool {
        match program {
            "getent" => self.known.borrow().group,
            "groupadd" => !std::mem::replace(&mut self.known.borrow_mut().group, true),
            "systemctl" => self.systemctl(words),
            "apparmor_parser" => {
                self.known.borrow_mut().profile = self.read(RULES);
                true
            }
            "aa-exec" => {
                let allowed = self.known.borrow().profile.clone().unwrap_or_default();
                if allowed.contains(PROGRAM) {
                    self.write(hook::TRIAL, "");
                }
                true
            }
            other => panic!("{other} {words:?} is not there"),
        }
    }
}

/// Ends a command without a word.
struct Killed;

impl System for Machine {
    fn root(&self) -> &Root {
        &self.root
    }

    fn owners(&self) -> &[u32] {
        &self.owners
    }

    fn user(&self) -> u32 {
        self.user
    }

    fn program(&self) -> io::Result<PathBuf> {
        fs::canonicalize(self.path(PROGRAM))
    }

    fn run(&self, program: &str, words: &[&str]) -> io::Result<Output> {
        let status = ExitStatus::from_raw(match self.does(program, words) {
            true => 0,
            false => 1 << 8,
        });
        Ok(Output {
            status,
            stdout: Vec::new(),
            stderr: b"no".to_vec(),
        })
    }

    fn before(&self, effect: &str) -> io::Result<()> {
        let number = self.effects.get();
        self.effects.set(number + 1);
        match self.end.get() {
            Some((end, End::Kill)) if end == number => resume_unwind(Box::new(Killed)),
            Some((end, End::Fail)) if end == number => {
                Err(io::Error::other(format!("no {effect} today")))
            }
            _ => Ok(()),
        }
    }

    fn caller(&self) -> Caller {
        Caller {
            name: match self.user {
                0 => "root".to_owned(),
                user => format!("uid {user}"),
            },
            role: match self.user {
                0 => Role::Administrator,
                _ => Role::Reader,
            },
            from: Origin::command_line(),
        }
    }

    fn claimed(&self) -> Option<&str> {
        self.sudo_user.as_deref()
    }

    fn journald(&self) -> Option<&Journald> {
        Some(&self.journald)
    }
}

fn collect(folder: &Path, name: &str, files: &mut Files) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        let kind = entry.metadata().expect("a file");
        match kind.is_dir() {
            true => collect(&entry.path(), &name, files),
            false => {
                let mode = kind.permissions().mode() & 0o7777;
                let content = fs::read_to_string(entry.path()).expect("text");
                files.insert(name, (mode, content));
            }
        }
    }
}
