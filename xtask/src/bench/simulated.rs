//! What an agent does on a simulated node: answers, and 50 VMs at once.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::limit::Limit;
use super::measure::in_turns;
use super::row::{Row, Times};
use crate::error::Error;
use crate::run::cargo;

/// How often many VMs are enabled at once.
const FEW: u32 = 3;

/// The agents of `accelnet demo --serve`; they end with this value.
struct Demo {
    process: Child,
    socket: String,
}

impl Demo {
    fn serve(program: &Path) -> Result<Demo, Error> {
        let mut process = Command::new(program)
            .args(["demo", "--serve"])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| Error::NotStarted {
                program: program.display().to_string(),
                source,
            })?;
        let output = process.stdout.take();
        let lines = output.map(|output| BufReader::new(output).lines().map_while(Result::ok));
        let socket = lines.into_iter().flatten().find_map(|line| {
            let said = line.trim().strip_prefix("export ACCELNET_SOCKET=")?;
            Some(said.to_owned())
        });
        let demo = Demo {
            process,
            socket: socket.unwrap_or_default(),
        };
        match demo.socket.is_empty() {
            true => Err(Error::Bench("the demonstration names no socket".to_owned())),
            false => Ok(demo),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It removes its folder when it is told to end.
        let pid = rustix::process::Pid::from_child(&self.process);
        let told = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        if told.is_ok() {
            drop(self.process.wait());
        }
    }
}

/// `accelnet status`, from the start of its process to its end, beside the start of a process
/// that does nothing.
pub fn status(program: &Path, rounds: u32) -> Result<(Row, Limit), Error> {
    let demo = Demo::serve(program)?;
    let mut ours = [Command::new(program)];
    ours[0].arg("status").env("ACCELNET_SOCKET", &demo.socket);
    let answered = ours[0].output().map_err(|source| Error::NotStarted {
        program: program.display().to_string(),
        source,
    })?;
    if !answered.status.success() {
        return Err(Error::Bench(format!("accelnet status: {answered:?}")));
    }
    let (our_times, their_times) = in_turns(rounds, &mut ours, &mut [Command::new("true")])?;
    let limit = Limit {
        what: "accelnet status, from the start of its process: median".to_owned(),
        found: our_times.median() * 1_000.0,
        most: Some(10.0),
        unit: " ms",
    };
    let row = Row {
        place: "a simulated node".to_owned(),
        ours: "accelnet status",
        theirs: "true",
        our_times,
        their_times,
    };
    Ok((row, limit))
}

/// 50 stopped VMs, enabled at once.
pub fn fifty(rounds: u32) -> Result<Limit, Error> {
    enabled_at_once(rounds, 50, &[])
}

/// 1,000 stopped VMs, enabled by one command, on a file and on an etcd.
pub fn thousand() -> Result<[Limit; 2], Error> {
    Ok([
        enabled_at_once(FEW, 1_000, &[])?,
        enabled_at_once(FEW, 1_000, &["etcd"])?,
    ])
}

fn enabled_at_once(rounds: u32, vms: u32, store: &[&str]) -> Result<Limit, Error> {
    let numbers = [rounds.to_string(), vms.to_string()];
    let mut bench = cargo([
        "bench",
        "--package",
        "accelnet-agent",
        "--bench",
        "enable",
        "--",
    ]);
    let answered = bench
        .args(&numbers)
        .args(store)
        .output()
        .map_err(|source| Error::NotStarted {
            program: "cargo".to_owned(),
            source,
        })?;
    let said = String::from_utf8_lossy(&answered.stdout);
    if !answered.status.success() {
        let words = String::from_utf8_lossy(&answered.stderr);
        return Err(Error::Bench(format!("enabling {vms} VMs: {words}")));
    }
    let seconds = said.lines().filter_map(|line| line.parse().ok());
    let times = Times(seconds.map(Duration::from_secs_f64).collect());
    Ok(Limit {
        what: format!(
            "{vms} stopped VMs enabled at once on a simulated node, its store {}, its hypervisor's time \
             included: for each VM, median of {}",
            store.first().copied().unwrap_or("a file"),
            times.0.len()
        ),
        found: times.median() * 1_000.0 / f64::from(vms),
        most: Some(2.0),
        unit: " ms",
    })
}
