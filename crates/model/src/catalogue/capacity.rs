//! Codes of admission under node failures.

use super::{Entry, Severity};
use crate::Code;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::ReserveNotMet,
        exit_status: 116,
        http_status: 200,
        severity: Severity::Error,
        stands_under: None,
        sentence: "The cluster does not have enough capacity for the node reserve.",
        found: "VMs that would lose their VF, and the nodes that would be down.",
        needed: "A VF with its queue pairs for every accelerated VM, with any of the reserved nodes down.",
        resolution: "Bring nodes and adapters that are down up again, or apply one of the listed changes.",
    },
    Entry {
        code: Code::CapacityFileInvalid,
        exit_status: 117,
        http_status: 400,
        severity: Severity::Error,
        stands_under: None,
        sentence: "{0} does not describe a cluster.",
        found: "The field, its line, and its error.",
        needed: "A file as in docs/capacity.md.",
        resolution: "Correct the file, then run the same command again. docs/capacity.md describes it.",
    },
];
