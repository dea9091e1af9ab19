//! `cargo xtask bench doors`: how long root waits for an agent while a user without rights asks all that it
//! may.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use accelnet_api::Client;
use accelnet_api::types::{VmChange, VmSet};
use accelnet_model::{Performance, Problem};
use clap::Args;
use rustix::fd::OwnedFd;
use rustix::net::{AddressFamily, SocketType};
use rustix::process::Uid;

use super::machine;
use super::served::{Served, VM};
use crate::error::Error;
use crate::run::root;

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
    asks: Asks,
    does: fn(&Path, SocketAddr, &AtomicBool),
}

/// Who waits for an answer meanwhile.
#[derive(Debug, Clone, Copy)]
enum Asks {
    Root,
    /// An administrator with a certificate, by the listener that is attacked.
    FromAfar,
}

const ATTACKS: [Attack; 8] = [
    Attack {
        name: "none",
        asks: Asks::Root,
        does: |_, _, _| {},
    },
    Attack {
        name: "waits for events, hung up",
        asks: Asks::Root,
        does: |socket, _, ends| {
            let path = "/v1/events?after=9000000000000000000&wait=60";
            again(ends, || drop(sent(socket, "GET", path, "")));
        },
    },
    Attack {
        name: "600 connections that stay open",
        asks: Asks::Root,
        does: |socket, _, ends| {
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
        asks: Asks::Root,
        does: |socket, _, ends| {
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
        asks: Asks::Root,
        does: |socket, _, ends| {
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
        asks: Asks::Root,
        does: |socket, _, ends| {
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
    Attack {
        name: "TLS handshakes from 9 addresses that do not begin",
        asks: Asks::Root,
        does: |_, address, ends| half_open(address, ends),
    },
    Attack {
        name: "the same, an administrator with a certificate asks",
        asks: Asks::FromAfar,
        does: |_, address, ends| half_open(address, ends),
    },
];

/// Connects from nine addresses and sends nothing. The administrator has another address: clients of one address
/// share its places.
fn half_open(address: SocketAddr, ends: &AtomicBool) {
    let (mut all, mut last) = (Vec::new(), 0);
    again(ends, || {
        if all.len() >= 200 {
            all.clear();
        }
        last = last % 9 + 1;
        all.extend(silent(Ipv4Addr::new(127, 0, 0, last + 1), address));
    });
}

/// A connection from `source` that has sent nothing.
fn silent(source: Ipv4Addr, address: SocketAddr) -> rustix::io::Result<OwnedFd> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None)?;
    rustix::net::bind(&socket, &SocketAddr::from((source, 0)))?;
    rustix::net::connect(&socket, &address)?;
    Ok(socket)
}

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
    // A user that is turned away may be so before it has asked.
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
        let served = Served::start()?;
        let busy = machine::busy()?;
        let mut all = Vec::new();
        for attack in ATTACKS {
            all.push(self.under(attack, &served)?);
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
    fn under(&self, attack: Attack, served: &Served) -> Result<Measured, Error> {
        let ends = Arc::new(AtomicBool::new(false));
        let attackers: Vec<_> = (0..2)
            .map(|_| {
                let (ends, socket) = (ends.clone(), served.socket().to_owned());
                let address = served.address();
                thread::spawn(move || {
                    let nobody = Uid::from_raw(NOBODY);
                    // The kernel keeps the user of each thread by itself.
                    let is_nobody = rustix::thread::set_thread_res_uid(nobody, nobody, nobody);
                    if is_nobody.is_ok() {
                        (attack.does)(&socket, address, &ends);
                    }
                    is_nobody
                })
            })
            .collect();
        thread::sleep(BEFORE);
        let measured = self.measure(attack, served);
        ends.store(true, Ordering::Relaxed);
        for attacker in attackers {
            if !matches!(attacker.join(), Ok(Ok(()))) {
                return Err(Error::Bench("run it as root".to_owned()));
            }
        }
        measured
    }

    fn measure(&self, attack: Attack, served: &Served) -> Result<Measured, Error> {
        let client: Client = match attack.asks {
            Asks::Root => served.root(),
            Asks::FromAfar => served.administrator()?,
        };
        let set = VmChange::Set(VmSet {
            names: vec![VM.to_owned()],
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
            let (now, open) = taken(served.process_id())?;
            memory = memory.max(now);
            descriptors = descriptors.max(open);
        }
        Ok(Measured {
            attack: attack.name,
            status: percentile(&mut status),
            change: percentile(&mut change),
            memory,
            descriptors,
        })
    }

    fn table(&self, all: &[Measured], busy: u64) -> String {
        let mut text = format!(
            "## Under attack\n\n\
             Written by `cargo xtask bench doors --write`. An unprivileged user runs the attack of the first column on two\n\
             threads without a pause, while root queries the agent of a simulated node {} times for each value, each\n\
             time on a new connection. Times are 99th percentiles; the limit is {} ms. Memory and descriptors are the\n\
             maximum of the process, including the simulated node; the limits are {} MiB and {}. Other processes used\n\
             {busy} % of the CPU before the measurement.\n\n\
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
