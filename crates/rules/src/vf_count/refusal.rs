//! The cause of the kernel's refusal of a new number of VFs.

use accelnet_model::vf_plan::{Refusal, Step};
use accelnet_model::{Code, Problem};

// errno.h, the same on every architecture that Linux runs KVM on.
const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ENXIO: i32 = 6;
const ENOMEM: i32 = 12;
const EACCES: i32 = 13;
const EBUSY: i32 = 16;
const ENODEV: i32 = 19;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const ERANGE: i32 = 34;

/// The problem that `refusal` of `step` makes on the adapter `name` at `address`; `left` reports
/// what there is now.
pub fn read(refusal: &Refusal, name: &str, address: &str, step: &Step, left: &str) -> Problem {
    let (attribute, value) = step.write().unwrap_or(("sriov_numvfs", 0));
    let asked = value.to_string();
    let (number, text) = match refusal {
        Refusal::TimedOut(after) => {
            let seconds = after.as_secs();
            let found = format!("The write was still under way after {seconds} s. {left}");
            return Problem::new(Code::VfCountTimedOut, &[name], found);
        }
        Refusal::Errno { number, text } => (*number, text),
    };
    let (code, names): (Code, [&str; 2]) = match number {
        EBUSY => (Code::VfCountBusy, [name, address]),
        ENOENT => (Code::SriovMissingPfDriver, [name, address]),
        ERANGE => (Code::VfCountTooHigh, [name, &asked]),
        ENOSPC | ENOMEM => (Code::VfNoRoom, [name, &asked]),
        EPERM | EACCES | EROFS => (Code::PermissionDenied, [name, address]),
        // Without a number it was no answer: the writer was killed, as happens when a
        // driver crashes in the kernel.
        0 | ENODEV | ENXIO => (Code::AdapterLost, [name, address]),
        _ => (Code::DriverRefuses, [name, address]),
    };
    let write = format!("The write of {asked} to {attribute} of {address}");
    let found = match number {
        ENOENT => {
            format!("No driver with SR-IOV configuration is bound to {address}. {left}")
        }
        0 => format!("{write} was not finished: {text}. {left}"),
        _ => format!("{write} ended with: {text}. {left}"),
    };
    Problem::new(code, &names, found)
}
