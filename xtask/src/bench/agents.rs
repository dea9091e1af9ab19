//! Many agents on one etcd, in one process: see `crates/agent/benches/agents.rs`.

use super::limit::Limit;
use crate::error::Error;
use crate::run::{cargo, output};
use crate::test::writes_to_memory;

const AGENTS: u32 = 1_000;
/// Their figures: the name there, the name here, and the limit.
const LIMITS: [(&str, &str, Option<f64>, &str); 13] = [
    ("joined", "until all have joined", Some(60.0), " s"),
    (
        "declared, p99",
        "an intent declared until 99 of 100 have their VFs",
        None,
        " s",
    ),
    (
        "setting, median",
        "a changed rate limit acted on: by half",
        None,
        " s",
    ),
    (
        "setting, p99",
        "a changed rate limit acted on: by 99 of 100",
        Some(2.0),
        " s",
    ),
    (
        "changed, median",
        "a changed number of VFs acted on: by half",
        None,
        " s",
    ),
    (
        "changed, p99",
        "a changed number of VFs acted on: by 99 of 100",
        Some(2.0),
        " s",
    ),
    (
        "changed, last",
        "a changed number of VFs acted on: by all",
        None,
        " s",
    ),
    (
        "idle traffic of each",
        "traffic with etcd of each while nothing happens, both directions",
        None,
        " B/s",
    ),
    (
        "idle CPU of each",
        "CPU of each while nothing happens, its share of a core in millionths",
        None,
        "",
    ),
    (
        "idle CPU of etcd",
        "CPU of etcd while nothing happens: share of a core",
        None,
        " %",
    ),
    (
        "memory of the nodes",
        "resident memory of the process before the agents start: the simulated nodes",
        None,
        " MiB",
    ),
    ("memory", "resident memory of the process", None, " MiB"),
    ("threads", "threads of the process", None, ""),
];

/// Each figure; of one that was reported several times, the greatest.
pub fn measure() -> Result<Vec<Limit>, Error> {
    let mut bench = cargo([
        "bench",
        "--quiet",
        "--package",
        "accelnet-agent",
        "--bench",
        "agents",
        "--",
    ]);
    bench.arg(AGENTS.to_string());
    // All of them write here to one disk, with etcd.
    writes_to_memory(&mut bench);
    let told = output(&mut bench)?;
    let limit = |(name, what, most, unit): (&str, &str, Option<f64>, &'static str)| {
        let found = told.lines().filter_map(|line| {
            let value = line.strip_prefix(name)?.strip_prefix(": ")?;
            value.split_whitespace().next()?.parse().ok()
        });
        let missing = || Error::Bench(format!("{AGENTS} agents: nothing about {name}"));
        Ok(Limit {
            what: format!("{AGENTS} agents on one etcd: {what}"),
            found: found.reduce(f64::max).ok_or_else(missing)?,
            most,
            unit,
        })
    };
    LIMITS.into_iter().map(limit).collect()
}
