//! Values that the fake answers with.

use accelnet_model::check::{CheckName, Outcome};
use accelnet_model::platform::{
    self, Architecture, Cpu, Iommu, Kernel, Kvm, Libvirt, Platform, Smt, Version, Vfio,
};
use accelnet_model::{Check, Node, Observed};

use crate::types::*;

pub(super) fn passed(subject: &str) -> Check {
    Check {
        name: CheckName::Intent,
        node: NODE.to_owned(),
        subject: subject.to_owned(),
        passed: true,
        outcome: Outcome::Passed,
        message: "Everything is there.".to_owned(),
        code: None,
        document_code: None,
        found: "all of it".to_owned(),
        needed: String::new(),
        resolution: String::new(),
        cause: None,
    }
}

/// Who drained its node.
pub(super) fn drained() -> Drained {
    Drained {
        by: "root".to_owned(),
        at: NOW.to_owned(),
        node: Some(NODE.to_owned()),
    }
}

pub(super) fn declared(intent: Option<IntentView>, dry_run: bool) -> IntentChanged {
    IntentChanged {
        intent,
        applied: !dry_run,
        unchanged: false,
        steps: vec![step("MyIntent", "create 7 VFs")],
        warnings: Vec::new(),
    }
}

pub(super) fn step(subject: &str, action: &str) -> PlannedStep {
    PlannedStep {
        node: NODE.to_owned(),
        subject: subject.to_owned(),
        action: action.to_owned(),
        reason: "it was asked for".to_owned(),
        affected_vms: Vec::new(),
        restarts: None,
    }
}

/// A node that sends heartbeats.
pub(super) fn up(name: &str) -> NodeView {
    NodeView {
        name: name.to_owned(),
        state: Standing::Up,
        since: Some(NOW.to_owned()),
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        joined_at: Some(NOW.to_owned()),
        reported_at: Some(NOW.to_owned()),
        drained: None,
        accelerated_vms: 0,
        vms_unknown: None,
        removed_intents: Vec::new(),
        settings_pending: false,
        adapters_unknown: None,
    }
}

/// A node without adapters.
pub(super) fn node() -> Node {
    Node {
        name: known(NODE.to_owned()),
        observed_at: NOW.to_owned(),
        is_copy: false,
        platform: Platform {
            architecture: Architecture::Intel,
            kernel_parameters: Vec::new(),
            kernel: known(Kernel {
                release: "6.12.0".to_owned(),
                version: Version::new(6, 12, 0),
            }),
            lockdown: known(None),
            cpu: known(Cpu {
                model: "a CPU".to_owned(),
                sockets: 1,
                cores: 4,
                threads: 8,
            }),
            smt: known(Smt::On),
            iommu: known(Iommu {
                units: vec!["dmar0".to_owned()],
                groups: 20,
                unsafe_groups: 0,
            }),
            kvm: known(Kvm::Usable { module: None }),
            vfio: known(Vfio::Loaded),
            libvirt: known(Libvirt::Running {
                version: Version::new(11, 3, 0),
            }),
            qemu: known(Some(Version::new(10, 0, 0))),
            bridge_filter: platform::not_kept(),
            hook: known(platform::HookAccess::default()),
        },
        adapters: known(Vec::new()),
        domains: known(Vec::new()),
        unreadable: Vec::new(),
    }
}

/// When everything in here happens.
pub const NOW: &str = "2026-11-22T10:00:00Z";

/// The node of everything in here.
pub const NODE: &str = "n1";

pub(super) fn known<T>(value: T) -> Observed<T> {
    Observed::Known(value)
}
