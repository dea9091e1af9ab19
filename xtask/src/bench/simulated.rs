//! What an agent does on a simulated node: answers, and 50 VMs at once.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::limit::Limit;
use super::measure::in_turns;
use super::row::{Row, Times};
use crate::demo::Demo;
use crate::error::Error;
use crate::run::cargo;

/// How often many VMs are enabled at once.
const FEW: u32 = 3;

/// `accelnet status`, from the start of its process to its end, beside the start of a process
/// that does nothing.
pub fn status(program: &Path, rounds: u32) -> Result<(Row, Limit), Error> {
    let demo = Demo::serve(program)?;
    let mut ours = [Command::new(program)];
    ours[0].arg("status").env("ACCELNET_SOCKET", demo.socket());
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

/// 1,000 stopped VMs, enabled and disabled by one command each, on a file and on an etcd.
pub fn thousand() -> Result<[Limit; 4], Error> {
    Ok([
        enabled_at_once(FEW, 1_000, &[])?,
        enabled_at_once(FEW, 1_000, &["disable"])?,
        enabled_at_once(FEW, 1_000, &["etcd"])?,
        enabled_at_once(FEW, 1_000, &["etcd", "disable"])?,
    ])
}

fn enabled_at_once(rounds: u32, vms: u32, words: &[&str]) -> Result<Limit, Error> {
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
        .args(words)
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
            "{vms} stopped VMs {} at once on a simulated node, its store {}, its hypervisor's time \
             included: for each VM, median of {}",
            if words.contains(&"disable") {
                "disabled"
            } else {
                "enabled"
            },
            if words.contains(&"etcd") {
                "etcd"
            } else {
                "a file"
            },
            times.0.len()
        ),
        found: times.median() * 1_000.0 / f64::from(vms),
        most: Some(2.0),
        unit: " ms",
    })
}
