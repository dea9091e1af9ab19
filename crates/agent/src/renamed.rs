//! Names of fields in format 1 of stored documents, each with its name since format 2.

/// Of performance settings.
pub(crate) const PERFORMANCE: &[(&str, &str)] = &[("transmit_weight", "rate_limit_percent")];

/// Of the adapters of an intent.
pub(crate) const BOUND: &[(&str, &str)] = &[("called", "name")];

/// Of an event.
pub(crate) const EVENT: &[(&str, &str)] = &[
    ("who", "user"),
    ("from", "origin"),
    ("more_outcomes", "omitted_outcomes"),
];

/// Of a report, and of the answer to an order: VMs, adapters, intents and steps.
pub(crate) const REPORT: &[(&str, &str)] = &[
    ("what", "check"),
    ("so", "ok"),
    ("seen", "detail"),
    ("remarks", "conditions"),
    ("carried", "vnic_settings"),
    ("possible", "can_migrate"),
    ("why", "reason"),
    ("vfs_promised", "vfs_allocated"),
    ("queue_pairs_promised", "queue_pairs_allocated"),
    ("vfs_foreign", "vfs_in_use_by_others"),
    ("queue_pairs_foreign", "queue_pairs_in_use_by_others"),
    ("vfs_in_doubt", "vfs_use_unknown"),
    ("called", "name"),
    ("touches", "affected_vms"),
];
