//! What was measured on, and how busy it was with other things.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::run::program;

/// How long the machine is watched before it is called busy or not.
const WATCHED: Duration = Duration::from_secs(3);

/// The machine and what is installed on it.
#[derive(Debug)]
pub struct Machine {
    /// Each with its value, in order.
    pub facts: Vec<(&'static str, String)>,
}

/// Describes this machine; `busy` are the shares of its CPU that others used.
pub fn about(accelnet: &Path, busy: Vec<u64>) -> Result<Machine, Error> {
    let version = |name: &Path, word| {
        let answer = program(name).arg(word).output();
        answer.map_or_else(
            |_| "unknown".to_owned(),
            |answer| first_line(&String::from_utf8_lossy(&answer.stdout)),
        )
    };
    let cpu = read("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name"));
    let model = model.map_or("unknown", |model| {
        model.trim_start_matches(['\t', ':', ' '])
    });
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let busy: Vec<String> = busy.iter().map(|share| format!("{share} %")).collect();
    Ok(Machine {
        facts: vec![
            ("date", jiff::Timestamp::now().strftime("%F").to_string()),
            ("accelnet", version(accelnet, "--version")),
            ("CPU", format!("{model}, {cores} cores")),
            ("kernel", first_line(&read("/proc/sys/kernel/osrelease")?)),
            ("iproute2", version(Path::new("ip"), "-V")),
            ("pciutils", version(Path::new("lspci"), "--version")),
            ("CPU used by others before and after", busy.join(", ")),
        ],
    })
}

/// The share of the CPU that is in use now, in per cent.
pub fn busy() -> Result<u64, Error> {
    let before = Ticks::now()?;
    thread::sleep(WATCHED);
    let after = Ticks::now()?;
    let idle = after.idle.saturating_sub(before.idle);
    let all = after.all.saturating_sub(before.all).max(1);
    Ok(100 - (idle * 100 / all).min(100))
}

/// Time of all CPUs since boot (`/proc/stat`).
struct Ticks {
    all: u64,
    idle: u64,
}

impl Ticks {
    fn now() -> Result<Ticks, Error> {
        let stat = read("/proc/stat")?;
        let all = stat.lines().next().unwrap_or_default().split_whitespace();
        let numbers: Vec<u64> = all.filter_map(|word| word.parse().ok()).collect();
        // user, nice, system, idle, iowait, ...
        Ok(Ticks {
            all: numbers.iter().take(8).sum(),
            idle: numbers.iter().skip(3).take(2).sum(),
        })
    }
}

/// The first line, without its end.
pub fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn read(path: &str) -> Result<String, Error> {
    fs::read_to_string(path).map_err(|source| Error::File {
        path: PathBuf::from(path),
        source,
    })
}
