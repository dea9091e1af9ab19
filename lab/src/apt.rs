//! Debian packages without a trace on the host: an apt with its own lists and its own sources, which
//! are derived from the machine's.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::{check, output};
use crate::error::{Error, Result, io};
use crate::recipe;

const MINUTES: Duration = Duration::from_secs(15 * 60);
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// An apt with its own state in one folder.
#[derive(Debug)]
pub(crate) struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Fetches the package lists of the machine's own sources, and of the release's backports where
    /// the release's QEMU is too old.
    pub fn open(folder: &Path, release: &str) -> Result<Self> {
        let folder =
            std::path::absolute(folder).map_err(io(format!("find {}", folder.display())))?;
        for part in [
            "lists/partial",
            "cache/archives/partial",
            "sources.d",
            "preferences.d",
        ] {
            fs::create_dir_all(folder.join(part))
                .map_err(io(format!("create {part} in {}", folder.display())))?;
        }
        let apt = Self { folder };
        apt.prefer("")?;
        eprintln!("lab: fetching Debian's package lists");
        apt.get(
            "read the machine's package lists",
            Sources::Machine,
            &["update", "-qq"],
        )?;
        let mut suites = apt.suites(release)?;
        apt.read_lists(&suites)?;
        if apt.has_qemu()? {
            return Ok(apt);
        }
        let late = Suite {
            codename: format!("{release}-backports"),
            uri: suites[0].uri.clone(),
        };
        apt.prefer(&format!(
            "Package: {}\nPin: release n={}\nPin-Priority: 600\n",
            recipe::LATE.join(" "),
            late.codename
        ))?;
        suites.push(late);
        apt.read_lists(&suites)?;
        if apt.has_qemu()? {
            Ok(apt)
        } else {
            Err(no_suite(&lines(&suites)))
        }
    }

    /// The sources, one a line.
    pub fn sources(&self) -> PathBuf {
        self.folder.join("sources.list")
    }

    /// What makes apt take some packages from backports; empty where the release's own are new enough.
    pub fn preferences(&self) -> PathBuf {
        self.folder.join("preferences.d/accelnet-lab")
    }

    /// The words of a command that installs `packages` on the host.
    pub fn install(&self, packages: &[&str]) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["apt-get".into()];
        words.extend(self.options(Sources::Own));
        words.extend(["install", "--yes", "--no-install-recommends"].map(Into::into));
        words.extend(packages.iter().map(Into::into));
        words
    }

    /// Downloads the newest kernel into `folder` and returns the package file.
    pub fn download_kernel(&self, folder: &Path) -> Result<PathBuf> {
        let described = self.cache(
            "find the kernel",
            &["show", "--no-all-versions", recipe::KERNEL],
        )?;
        let package = described
            .lines()
            .find_map(|line| line.strip_prefix("Depends: "))
            .and_then(|depends| {
                depends
                    .split([' ', ','])
                    .find(|word| word.starts_with("linux-image-"))
            })
            .ok_or_else(|| Error::Unexpected {
                what: "the kernel's package".to_owned(),
                found: described.clone(),
            })?;
        eprintln!("lab: downloading {package}");
        let mut download = Command::new("apt-get");
        download
            .args(self.options(Sources::Own))
            .args(["download", "-q", package])
            .current_dir(folder);
        check("download the kernel", &mut download, MINUTES)?;
        let mut files = fs::read_dir(folder)
            .map_err(io(format!("list {}", folder.display())))?
            .flatten();
        files
            .find(|file| file.file_name().to_string_lossy().ends_with(".deb"))
            .map(|file| file.path())
            .ok_or_else(|| Error::Unexpected {
                what: format!("{package}_*.deb"),
                found: folder.display().to_string(),
            })
    }

    fn has_qemu(&self) -> Result<bool> {
        let table = self.cache("look for QEMU", &["madison", "qemu-system-x86"])?;
        let versions = table.lines().filter_map(|line| line.split('|').nth(1));
        for version in versions {
            if at_least(version.trim(), recipe::QEMU)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The suites of this Debian release among the machine's sources, the release itself first.
    fn suites(&self, release: &str) -> Result<Vec<Suite>> {
        let format = "$(CODENAME)|$(COMPONENT)|$(REPO_URI)";
        let words = ["indextargets", "--format", format, "Created-By: Packages"];
        let listed = self.get(
            "list the machine's package sources",
            Sources::Machine,
            &words,
        )?;
        let mut suites: Vec<Suite> = Vec::new();
        for line in listed.lines() {
            let words: Vec<&str> = line.split('|').collect();
            let [codename, "main", uri] = words[..] else {
                continue;
            };
            let suite = Suite {
                codename: codename.to_owned(),
                uri: uri.to_owned(),
            };
            let wanted = ["", "-updates", "-security"].map(|kind| format!("{release}{kind}"));
            if wanted.contains(&suite.codename) && !suites.contains(&suite) {
                suites.push(suite);
            }
        }
        suites.sort_by_key(|suite| suite.codename.len());
        match suites.first() {
            Some(first) if first.codename == release => Ok(suites),
            _ => Err(no_suite(&listed)),
        }
    }

    fn prefer(&self, text: &str) -> Result<()> {
        let path = self.preferences();
        fs::write(&path, text).map_err(io(format!("write {}", path.display())))
    }

    fn read_lists(&self, suites: &[Suite]) -> Result<()> {
        let path = self.sources();
        fs::write(&path, lines(suites)).map_err(io(format!("write {}", path.display())))?;
        self.get(
            "read Debian's package lists",
            Sources::Own,
            &["update", "-qq"],
        )
        .map(drop)
    }

    fn get(&self, what: &str, sources: Sources, words: &[&str]) -> Result<String> {
        let mut command = Command::new("apt-get");
        check(
            what,
            command.args(self.options(sources)).args(words),
            MINUTES,
        )
    }

    fn cache(&self, what: &str, words: &[&str]) -> Result<String> {
        let mut command = Command::new("apt-cache");
        check(
            what,
            command.args(self.options(Sources::Own)).args(words),
            MINUTES,
        )
    }

    fn options(&self, sources: Sources) -> Vec<OsString> {
        let mut options = Vec::new();
        let mut set = |name: &str, value: &Path| {
            let mut word = OsString::from(name);
            word.push("=");
            word.push(value);
            options.extend(["-o".into(), word]);
        };
        set("Dir::State::Lists", &self.folder.join("lists"));
        set("Dir::Cache", &self.folder.join("cache"));
        set("APT::Sandbox::User", Path::new("root"));
        set("Acquire::Languages", Path::new("none"));
        if matches!(sources, Sources::Own) {
            set("Dir::Etc::SourceList", &self.sources());
            set("Dir::Etc::SourceParts", &self.folder.join("sources.d"));
            set(
                "Dir::Etc::PreferencesParts",
                &self.folder.join("preferences.d"),
            );
        }
        options
    }
}

/// Which sources an apt command reads.
#[derive(Clone, Copy)]
enum Sources {
    Machine,
    Own,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Suite {
    codename: String,
    uri: String,
}

fn lines(suites: &[Suite]) -> String {
    let signed = if Path::new(KEYRING).exists() {
        format!("[signed-by={KEYRING}] ")
    } else {
        String::new()
    };
    suites
        .iter()
        .map(|suite| format!("deb {signed}{} {} main\n", suite.uri, suite.codename))
        .collect()
}

fn no_suite(found: &str) -> Error {
    Error::NoSuite {
        wanted: recipe::QEMU.to_owned(),
        found: found.trim().replace('\n', ", "),
    }
}

/// Whether a Debian version is at least another.
pub(crate) fn at_least(version: &str, lowest: &str) -> Result<bool> {
    let mut command = Command::new("dpkg");
    command.args(["--compare-versions", version, "ge", lowest]);
    Ok(output(&mut command, MINUTES)?.success())
}
