//! The Debian packages that the host needs, and how they come onto it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::apt::{Apt, at_least};
use crate::command::{check, output, quote};
use crate::error::{Error, Result, io};
use crate::recipe;

const MINUTES: Duration = Duration::from_secs(15 * 60);

struct Package {
    name: &'static str,
    purpose: &'static str,
    lowest: Option<&'static str>,
}

const fn package(name: &'static str, purpose: &'static str) -> Package {
    Package {
        name,
        purpose,
        lowest: None,
    }
}

const HOST: &[Package] = &[
    Package {
        name: "qemu-system-x86",
        purpose: "runs the nodes",
        lowest: Some(recipe::QEMU),
    },
    package("qemu-utils", "makes the disks of nodes that come back"),
    package("mmdebstrap", "makes the nodes' root folder"),
    package("uidmap", "lets an ordinary user make it"),
    package("busybox-static", "is the initramfs of nodes and VMs"),
    package("cpio", "packs the initramfs"),
    package("kmod", "finds the kernel modules they need"),
    package("xz-utils", "unpacks kernel modules"),
    package("e2fsprogs", "makes the nodes' disk"),
    package(
        "binutils",
        "strips the program under test, which nodes read slowly",
    ),
    package("openssh-client", "talks to the nodes"),
];

/// The code name of the machine's Debian release.
pub(crate) fn release() -> Result<String> {
    let path = "/etc/os-release";
    let text = fs::read_to_string(path).map_err(io(format!("read {path}")))?;
    let value = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
    };
    match (value("ID"), value("VERSION_CODENAME")) {
        (Some("debian"), Some(release)) => Ok(release.to_owned()),
        _ => Err(Error::NoSuite {
            wanted: recipe::QEMU.to_owned(),
            found: text.replace('\n', ", "),
        }),
    }
}

/// Sees to it that the host has all packages; `apt` is opened only when one is missing.
pub(crate) fn ensure(apt: impl FnOnce() -> Result<Apt>) -> Result<()> {
    let mut missing = Vec::new();
    for package in HOST {
        if !installed(package)? {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    let reasons: Vec<String> = missing
        .iter()
        .map(|package| format!("{} ({})", package.name, package.purpose))
        .collect();
    let command = apt()?.install(&names);
    let Some(prefix) = become_root() else {
        let typed: Vec<String> = command
            .iter()
            .map(|word| quote(&word.to_string_lossy()))
            .collect();
        return Err(Error::PackagesMissing {
            missing: reasons.join(", "),
            command: format!("sudo {}", typed.join(" ")),
        });
    };
    eprintln!("lab: installing {}", reasons.join(", "));
    let words: Vec<OsString> = prefix.iter().map(Into::into).chain(command).collect();
    let mut install = Command::new(&words[0]);
    install
        .args(&words[1..])
        .env("DEBIAN_FRONTEND", "noninteractive");
    check(
        "install the packages that the lab needs",
        &mut install,
        MINUTES,
    )
    .map(drop)
}

fn installed(package: &Package) -> Result<bool> {
    let mut query = Command::new("dpkg-query");
    query.args([
        "--show",
        "--showformat=${db:Status-Status} ${Version}",
        package.name,
    ]);
    let answer = output(&mut query, MINUTES)?;
    let Some(version) = answer.stdout.strip_prefix("installed ") else {
        return Ok(false);
    };
    package
        .lowest
        .map_or(Ok(true), |lowest| at_least(version.trim(), lowest))
}

/// What to put before a command so that root runs it, if that is possible without a question.
fn become_root() -> Option<&'static [&'static str]> {
    if rustix::process::geteuid().is_root() {
        return Some(&[]);
    }
    let mut sudo = Command::new("sudo");
    let answers = Path::new("/usr/bin/sudo").exists()
        && output(sudo.args(["-n", "true"]), MINUTES).ok()?.success();
    answers.then_some(&["sudo", "-n"])
}
