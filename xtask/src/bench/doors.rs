//! `cargo xtask bench doors`: how long root waits for an agent while a user without rights asks all that it
//! may.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use accelnet_api::Client;
use accelnet_api::types::{Enable, VmChange, VmEnable, VmSet};
use accelnet_model::{Performance, Problem};
use clap::Args;
use rustix::process::Uid;

use super::demo::Demo;
use super::machine;
use crate::error::Error;
use crate::run::{cargo, root, run, target};

/// Where `--write` writes, between its marks.
const DOCUMENT: &str = "docs/benchmarks.md";
/// Begin and end of what it writes.
pub const MARKS: [&str; 2] = ["<!-- doors -->\n", "<!-- end of doors -->\n"];
/// The most that root may wait, in milliseconds, the most memory in MiB, and the most descriptors.
const MOST: (f64, f64, usize) = (500.0, 64.0, 1_024);
/// A user without rights.
const NOBODY: u32 = 65_534;
/// How long an attack goes on before root asks.
const BEFORE: Duration = Duration::from_secs(2);

/// Measure what root waits while another user attacks an agent
#[derive(Debug, Args)]
pub struct Doors {
    /// How often root asks under each attack
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(100..))]
    rounds: u32,
    /// Write the table into docs/benchmarks.md
    #[arg(long)]
    write: bool,
}

/// What another user does, again and again.
#[derive(Debug, Clone, Copy)]
struct Attack {
    name: &'static str,
    does: fn(&Path, &AtomicBool),
}

const ATTACKS: [Attack; 6] = [
    Attack {
        name: "none",
        does: |_, _| {},
    },
    Attack {
        name: "waits for events, hung up",
        does: |socket, ends| {
            let path = "/v1/events?after=9000000000000000000&wait=60";
            again(ends, || drop(sent(socket, "GET", path, "")));
        },
    },
    Attack {
        name: "600 connections that stay open",
        does: |socket, ends| {
            let mut all = Vec::new();
            again(ends, || {
                if all.len() >= 600 {
                    all.clear();
                }
                all.extend(UnixStream::connect(socket));
            });
        },
    },
    Attack {
        name: "dry runs of 1,000 other VMs each, and looks at prerequisites, hung up",
        does: |socket, ends| {
            let mut number = 0;
            again(ends, || {
                number += 1;
                let names: Vec<String> = (0..1_000).map(|at| format!("{number}-{at}")).collect();
                let body = serde_json::json!({ "names": names, "dry_run": true });
                drop(sent(socket, "POST", "/v1/vm-disable", &body.to_string()));
                drop(sent(socket, "GET", "/v1/prereq", ""));
            });
        },
    },
    Attack {
        name: "the same, answered",
        does: |socket, ends| {
            let mut number = 0;
            again(ends, || {
                number += 1;
                let names: Vec<String> = (0..1_000).map(|at| format!("{number}-{at}")).collect();
                let body = serde_json::json!({ "names": names, "dry_run": true });
                read(sent(socket, "POST", "/v1/vm-disable", &body.to_string()));
                read(sent(socket, "GET", "/v1/prereq", ""));
            });
        },
    },
    Attack {
        name: "heads that do not end",
        does: |socket, ends| {
            let mut all = Vec::new();
            again(ends, || {
                if all.len() >= 200 {
                    all.clear();
                }
                let stream = UnixStream::connect(socket);
                all.extend(stream.inspect(|mut stream| drop(stream.write_all(b"GET /v1/st"))));
            });
        },
    },
];

/// Does `what` until the attack ends.
fn again(ends: &AtomicBool, mut what: impl FnMut()) {
    while !ends.load(Ordering::Relaxed) {
        what();
    }
}

/// Sends a request.
fn sent(socket: &Path, method: &str, path: &str, body: &str) -> Option<UnixStream> {
    let mut stream = UnixStream::connect(socket).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    // Whoever is turned away may be so before it has asked.
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body.as_bytes()).ok()?;
    Some(stream)
}

fn read(stream: Option<UnixStream>) {
    if let Some(mut stream) = stream {
        drop(stream.read_to_end(&mut Vec::new()));
    }
}

/// What was measured under an attack.
struct Measured {
    attack: &'static str,
    /// The 99th percentile, in milliseconds.
    status: f64,
    change: f64,
    /// MiB.
    memory: f64,
    descriptors: usize,
}

impl Doors {
    pub fn run(&self) -> Result<(), Error> {
        run(&mut cargo(["build", "--release", "--package", "accelnet"]))?;
        let busy = machine::busy()?;
        let demo = Demo::serve(&target().join("release/accelnet"))?;
        prepare(&demo)?;
        let mut all = Vec::new();
        for attack in ATTACKS {
            all.push(self.under(attack, &demo)?);
        }
        let text = self.table(&all, busy);
        print!("{text}");
        if self.write {
            let path = root().join(DOCUMENT);
            let failed = |source| Error::File {
                path: path.clone(),
                source,
            };
            let before = fs::read_to_string(&path).map_err(failed)?;
            let others = match before.split_once(MARKS[0]) {
                Some((others, _)) => others.trim_end(),
                None => before.trim_end(),
            };
            let whole = format!("{others}\n\n{}{text}{}", MARKS[0], MARKS[1]);
            fs::write(&path, whole).map_err(failed)?;
        }
        let kept = |one: &Measured| {
            one.status <= MOST.0
                && one.change <= MOST.0
                && one.memory <= MOST.1
                && one.descriptors <= MOST.2
        };
        match all.iter().find(|one| !kept(one)) {
            None => Ok(()),
            Some(one) => Err(Error::Bench(format!("{}: more than permitted", one.attack))),
        }
    }

    /// What root waits while another user does that on two threads.
    fn under(&self, attack: Attack, demo: &Demo) -> Result<Measured, Error> {
        let ends = Arc::new(AtomicBool::new(false));
        let attackers: Vec<_> = (0..2)
            .map(|_| {
                let (ends, socket) = (ends.clone(), demo.socket().to_owned());
                thread::spawn(move || {
                    let nobody = Uid::from_raw(NOBODY);
                    // The kernel keeps the user of each thread by itself.
                    let is_nobody = rustix::thread::set_thread_res_uid(nobody, nobody, nobody);
                    if is_nobody.is_ok() {
                        (attack.does)(&socket, &ends);
                    }
                    is_nobody
                })
            })
            .collect();
        thread::sleep(BEFORE);
        let measured = self.measure(attack.name, demo);
        ends.store(true, Ordering::Relaxed);
        for attacker in attackers {
            if !matches!(attacker.join(), Ok(Ok(()))) {
                return Err(Error::Bench("run it as root".to_owned()));
            }
        }
        measured
    }

    fn measure(&self, attack: &'static str, demo: &Demo) -> Result<Measured, Error> {
        let client = Client::new(demo.socket());
        let set = VmChange::Set(VmSet {
            names: vec!["web01".to_owned()],
            performance: Some(Performance::Low),
            now: false,
            dry_run: true,
            trust: None,
            spoof_check: None,
        });
        let (mut status, mut change) = (Vec::new(), Vec::new());
        let (mut memory, mut descriptors) = (0.0_f64, 0);
        for _ in 0..self.rounds {
            status.push(timed(|| client.status().map(drop).map_err(refused))?);
            change.push(timed(|| {
                client.vms_change(&set).map(drop).map_err(refused)
            })?);
            let (now, open) = taken(demo.process_id())?;
            memory = memory.max(now);
            descriptors = descriptors.max(open);
        }
        Ok(Measured {
            attack,
            status: percentile(&mut status),
            change: percentile(&mut change),
            memory,
            descriptors,
        })
    }

    fn table(&self, all: &[Measured], busy: u64) -> String {
        let mut text = format!(
            "## Under attack\n\n\
             Written by `cargo xtask bench doors --write`. A user without rights does what the first column names on\n\
             two threads, again and again, while root asks an agent of `accelnet demo --serve` {} times for each\n\
             figure, and each time from a new connection. Times are 99th percentiles; at most {} ms are permitted. Memory\n\
             and descriptors are the most that were seen, of four agents in one process; at most {} MiB and {} are\n\
             permitted. Others used {busy} % of the CPU before it began.\n\n\
             | attack | `status` | `vm set --dry-run` | memory | descriptors |\n\
             | --- | --- | --- | --- | --- |\n",
            self.rounds, MOST.0, MOST.1, MOST.2
        );
        for one in all {
            text += &format!(
                "| {} | {:.1} ms | {:.1} ms | {:.0} MiB | {} |\n",
                one.attack, one.status, one.change, one.memory, one.descriptors
            );
        }
        text
    }
}

/// Has a VM accelerated, and lets other users reach the sockets.
fn prepare(demo: &Demo) -> Result<(), Error> {
    if let Some(folder) = demo.socket().parent() {
        fs::set_permissions(folder, Permissions::from_mode(0o755)).map_err(|source| {
            Error::File {
                path: PathBuf::from(folder),
                source,
            }
        })?;
    }
    let client = Client::new(demo.socket());
    let enable = Enable {
        intent: "MyIntent".to_owned(),
        node_reserve_percentage: Some(0),
        ..Enable::default()
    };
    client.enable(&enable).map_err(refused)?;
    let web01 = VmChange::Enable(VmEnable {
        names: vec!["web01".to_owned()],
        performance: Performance::Low,
        now: false,
        add_nic: false,
        dry_run: false,
        mac: None,
        trust: None,
        spoof_check: None,
    });
    let changed = client.vms_change(&web01).map_err(refused)?;
    match changed.ok {
        true => Ok(()),
        false => Err(Error::Bench(format!("{:?}", changed.results))),
    }
}

fn refused(problem: Problem) -> Error {
    Error::Bench(format!("{} {}", problem.message, problem.found))
}

fn timed(ask: impl FnOnce() -> Result<(), Error>) -> Result<f64, Error> {
    let begun = Instant::now();
    ask()?;
    Ok(begun.elapsed().as_secs_f64() * 1_000.0)
}

fn percentile(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    let at = (times.len() * 99).div_ceil(100).saturating_sub(1);
    times.get(at).copied().unwrap_or(f64::NAN)
}

/// Resident memory of a process in MiB, and its descriptors.
fn taken(process: u32) -> Result<(f64, usize), Error> {
    let path = PathBuf::from(format!("/proc/{process}"));
    let failed = |source| Error::File {
        path: path.clone(),
        source,
    };
    let status = fs::read_to_string(path.join("status")).map_err(failed)?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let open = fs::read_dir(path.join("fd")).map_err(failed)?.count();
    Ok((kib.unwrap_or(f64::NAN) / 1024.0, open))
}
