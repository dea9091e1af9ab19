//! etcd for the tests of clusters: Debian's binaries, unpacked below `target/tools`. Nothing is
//! installed, since Debian's package would start a server at once and at every boot.

use std::fs;
use std::path::Path;

use crate::error::Error;
use crate::packages::{apt, as_root};
use crate::run::{program, run, tools, works};

/// Packages, each with its program.
const PROGRAMS: [(&str, &str); 2] = [("etcd-server", "etcd"), ("etcd-client", "etcdctl")];

/// Fetches what is missing.
pub fn ensure() -> Result<(), Error> {
    let missing: Vec<&str> = PROGRAMS
        .into_iter()
        .filter(|(_, name)| !is_there(name))
        .map(|(package, _)| package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let folder = tools().join("etcd");
    let make = |folder: &Path| fs::create_dir_all(folder).map_err(Error::Etcd);
    make(&folder)?;
    make(&tools().join("bin"))?;
    eprintln!(
        "fetching {} for the tests of clusters",
        missing.join(" and ")
    );
    // The lists may be missing or old; without root, the existing ones are used.
    if let Some(prefix) = as_root() {
        run(&mut apt(prefix, &["update", "-qq"]))?;
    }
    let mut words = vec!["download", "-qq"];
    words.extend(&missing);
    let mut download = program("apt-get");
    run(download.args(words).current_dir(&folder))?;
    let packages = fs::read_dir(&folder).map_err(Error::Etcd)?;
    for package in packages.flatten().map(|entry| entry.path()) {
        if package.extension().is_some_and(|kind| kind == "deb") {
            run(program("dpkg-deb").arg("-x").arg(&package).arg(&folder))?;
            fs::remove_file(&package).map_err(Error::Etcd)?;
        }
    }
    for (_, name) in PROGRAMS {
        let unpacked = folder.join("usr/bin").join(name);
        if unpacked.exists() {
            let place = tools().join("bin").join(name);
            fs::rename(unpacked, place).map_err(Error::Etcd)?;
        }
    }
    match PROGRAMS.iter().find(|(_, name)| !is_there(name)) {
        None => Ok(()),
        Some((package, _)) => Err(Error::Packages {
            missing: format!("{package} (a server for the tests of clusters)"),
            packages: (*package).to_owned(),
        }),
    }
}

fn is_there(name: &str) -> bool {
    let word = match name {
        "etcdctl" => "version",
        _ => "--version",
    };
    works(program(name).arg(word))
}
