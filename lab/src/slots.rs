//! How many nodes may run at once on this machine, over all test processes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::{Lock, folder};
use crate::error::{Error, Result};

/// What one node may take, so that the machine does not swap.
const NODE_KIB: u64 = 3 << 20;
const DEADLINE: Duration = Duration::from_secs(60 * 60);

/// The right to run one node, or all nodes of a cluster.
#[derive(Debug)]
pub(crate) struct Slot {
    _locks: Vec<Lock>,
}

impl Slot {
    /// Waits for a free place. Test processes may start in any number; nodes then run in turn.
    pub fn take() -> Result<Self> {
        let count = count();
        let begin = Instant::now();
        let lock = wait_for_one(count, begin)?;
        Ok(Self { _locks: vec![lock] })
    }

    /// Waits for places for so many nodes. A cluster that is larger than the machine has places takes
    /// all of them: its nodes are slow, but they run.
    pub fn take_many(nodes: usize) -> Result<Self> {
        let count = count();
        let begin = Instant::now();
        // Only one gathers places at a time: two that had one each would wait for each other.
        let _gathering = Lock::exclusive(&folder().join("slots").join("gathering"))?;
        let mut locks = Vec::new();
        while locks.len() < nodes && (locks.len() as u64) < count {
            locks.push(wait_for_one(count, begin)?);
        }
        Ok(Self { _locks: locks })
    }
}

fn wait_for_one(count: u64, begin: Instant) -> Result<Lock> {
    while begin.elapsed() < DEADLINE {
        for number in 0..count {
            let place = folder().join("slots").join(number.to_string());
            if let Some(lock) = Lock::try_exclusive(&place)? {
                return Ok(lock);
            }
        }
        thread::sleep(Duration::from_millis(200));
    }
    Err(Error::Deadline {
        what: "a place for one more node".to_owned(),
        deadline: DEADLINE,
        detail: format!("{count} nodes may run at once on this machine, and all of them still do"),
    })
}

fn count() -> u64 {
    let cores = thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        text.lines()
            .next()?
            .split_whitespace()
            .nth(1)?
            .parse::<u64>()
            .ok()
    });
    memory.map_or(1, |kib| kib / NODE_KIB).clamp(1, cores)
}
