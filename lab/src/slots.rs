//! How many nodes may run at once on this machine, over all test processes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crate::cache::{Lock, folder};
use crate::error::{Error, Result};

/// What one node may take, so that the machine does not swap.
const NODE_KIB: u64 = 3 << 20;
const DEADLINE: Duration = Duration::from_secs(60 * 60);

/// The right to run one node.
#[derive(Debug)]
pub(crate) struct Slot {
    _lock: Lock,
}

impl Slot {
    /// Waits for a free place. Test processes may start in any number; nodes then run in turn.
    pub fn take() -> Result<Self> {
        let count = count();
        let begin = Instant::now();
        while begin.elapsed() < DEADLINE {
            for number in 0..count {
                if let Some(lock) =
                    Lock::try_exclusive(&folder().join("slots").join(number.to_string()))?
                {
                    return Ok(Self { _lock: lock });
                }
            }
            thread::sleep(Duration::from_millis(200));
        }
        Err(Error::Deadline {
            what: "a place for one more node".to_owned(),
            deadline: DEADLINE,
            detail: format!(
                "{count} nodes may run at once on this machine, and all of them still do"
            ),
        })
    }
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
