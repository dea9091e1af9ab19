//! Codes of admission under node failures.

use super::{Entry, Severity};
use crate::Code;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::ReserveNotMet,
        exit_status: 116,
        http_status: 200,
        severity: Severity::Error,
        case_of: None,
        sentence: "The cluster does not have enough capacity for the node reserve.",
        names: &[],
        found: "VMs that would lose their VF, and the nodes that would be down.",
        needed: "A VF with its queue pairs for every accelerated VM, with any of the reserved nodes down.",
        resolution: "Start the nodes and adapters that are down, or apply one of the changes that 'accelnet capacity' lists.",
    },
    Entry {
        code: Code::CapacityFileInvalid,
        exit_status: 117,
        http_status: 400,
        severity: Severity::Error,
        case_of: None,
        sentence: "{0} does not describe a cluster.",
        names: &["FILE"],
        found: "The field, its line, and its error.",
        needed: "A file in the format of docs/capacity.md.",
        resolution: "Correct that field, then run the same command again.",
    },
];
