//! Debian packages that tests use beside the lab's own.

use std::path::Path;
use std::process::Command;

use crate::error::Error;
use crate::run::{program, run, works};

/// Something needed on this machine.
#[derive(Debug, Clone, Copy)]
pub struct Package {
    /// Debian's name for what has it.
    pub name: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The sign that it is installed.
    pub present: fn() -> bool,
}

/// For `cargo xtask test`.
pub const TEST: &[Package] = &[
    Package {
        name: "libvirt0",
        purpose: "its test driver stands in for a daemon",
        present: || library("libvirt.so.0"),
    },
    Package {
        name: "iproute2",
        purpose: "compared with what accelnet reads of links",
        present: || works(program("ip").arg("-V")),
    },
    Package {
        name: "pciutils",
        purpose: "compared with what accelnet reads of PCI devices",
        present: || works(program("lspci").arg("--version")),
    },
    Package {
        name: "openssl",
        purpose: "makes certificates as docs/remote.md says",
        present: || works(program("openssl").arg("version")),
    },
    Package {
        name: "python3-venv",
        purpose: "a folder of its own for schemathesis",
        present: || works(program("python3").args(["-c", "import ensurepip, venv"])),
    },
];

/// For `cargo xtask fuzz`.
pub const FUZZ: &[Package] = &[Package {
    name: "g++",
    purpose: "compiles libFuzzer",
    present: || works(program("c++").arg("--version")),
}];

/// Installs those that are missing.
pub fn ensure(packages: &[Package]) -> Result<(), Error> {
    let missing: Vec<_> = packages
        .iter()
        .filter(|package| !(package.present)())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|package| package.name).collect();
    let reasons: Vec<_> = missing
        .iter()
        .map(|package| format!("{} ({})", package.name, package.purpose))
        .collect();
    let Some(prefix) = as_root() else {
        return Err(Error::Packages {
            missing: reasons.join(", "),
            packages: names.join(" "),
        });
    };
    eprintln!("installing {}", reasons.join(", "));
    run(&mut apt(prefix, &["update", "-qq"]))?;
    let mut install = apt(
        prefix,
        &["install", "-qq", "--yes", "--no-install-recommends"],
    );
    run(install.args(names))
}

pub fn apt(prefix: &[&str], words: &[&str]) -> Command {
    let line = [
        prefix,
        &["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"],
        words,
    ]
    .concat();
    let mut command = program(line[0]);
    command.args(&line[1..]);
    command
}

/// What to put before a command so that it runs as root without a question, on a machine
/// with apt.
pub fn as_root() -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&[], &["sudo", "-n"]];
    let is_root = |prefix: &&[&str]| {
        let line = [*prefix, &["id", "-u"]].concat();
        let answer = program(line[0]).args(&line[1..]).output();
        answer.is_ok_and(|answer| answer.status.success() && answer.stdout == b"0\n")
    };
    let way = ways.into_iter().find(is_root)?;
    Path::new("/usr/bin/apt-get").exists().then_some(way)
}

/// Whether the dynamic linker knows a library of this name.
fn library(name: &str) -> bool {
    let listed = program("/sbin/ldconfig").arg("-p").output();
    listed.is_ok_and(|listed| String::from_utf8_lossy(&listed.stdout).contains(name))
}
