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
        sentence: "The node reserve is not met.",
        found: "VMs that would be left without a VF, and with which nodes down.",
        needed: "A VF with its queue pairs for every accelerated VM, with any of the reserved nodes down.",
        resolution: "Bring nodes and adapters that are down back, or do one of what is named.",
    },
    Entry {
        code: Code::CapacityFileInvalid,
        exit_status: 117,
        http_status: 400,
        severity: Severity::Error,
        stands_under: None,
        sentence: "{0} does not describe a cluster.",
        found: "The field, its line, and what is wrong with it.",
        needed: "A file as docs/capacity.md describes it.",
        resolution: "Mend that field, then run the same command again.",
    },
];
