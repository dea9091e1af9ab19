use accelnet_model::domain::{
    DomainSettings, DomainState, GuestIommu, GuestPlace, MemoryDevice, Vnic,
};
use accelnet_model::memory::{FreeHugepages, NodeMemory, ProcessMemory};
use accelnet_model::platform::Version;
use accelnet_model::{Code, Domain, Mac, Observed};

use super::*;
use crate::pair::Step;

mod machine;
mod memory;

const MAC: Mac = Mac([0x52, 0x54, 0, 0xaa, 0, 1]);

/// A stopped q35 VM of 2048 MiB.
fn vm(change: impl FnOnce(&mut DomainSettings)) -> Domain {
    let mut settings = DomainSettings {
        os_type: Some("hvm".to_owned()),
        machine: Some("pc-q35-10.0".to_owned()),
        ..DomainSettings::default()
    };
    settings.slots.root_ports = 4;
    settings.slots.free = Some(2);
    settings.slots.pcie = Some(true);
    change(&mut settings);
    Domain {
        name: "web1".to_owned(),
        uuid: "2f6a5b1c-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        state: DomainState::ShutOff,
        persistent: true,
        vcpus: 4,
        memory_mib: 2048,
        vnics: Vec::new(),
        host_devices: Vec::new(),
        settings,
    }
}

/// It is to get a VF with its next start, on a node with 16 GiB.
fn stopped(definition: &Domain) -> Facts<'_> {
    Facts {
        definition,
        live: None,
        mac: MAC,
        steps: &[Step::WriteConfig, Step::JoinNic, Step::DefineVf],
        managed_save: false,
        snapshots: 0,
        qemu: Some(Version::new(10, 0, 2)),
        node: Observed::Known(NodeMemory {
            total_mib: 16 * 1024,
            available_mib: 8 * 1024,
            default_hugepage_kib: 2048,
            free_hugepages: vec![FreeHugepages {
                size_kib: 2048,
                free_mib: 4096,
            }],
        }),
        process: Observed::unknown("it does not run"),
    }
}

/// It runs and is to get a VF now.
fn running(vm: &Domain) -> Facts<'_> {
    Facts {
        live: Some(vm),
        steps: &[
            Step::WriteConfig,
            Step::JoinNic,
            Step::DefineVf,
            Step::ReplugNic,
            Step::AttachVf,
        ],
        process: Observed::Known(ProcessMemory {
            resident_mib: 512,
            merged_mib: 0,
        }),
        ..stopped(vm)
    }
}

/// The refusal, whose words contain `words`.
fn refused(facts: &Facts<'_>, words: &str) -> Problem {
    let problem = judge(facts).expect_err("unfit");
    assert_eq!(problem.code, Code::VmUnfit);
    assert!(problem.found.contains(words), "{}", problem.found);
    problem
}

/// The warnings, as what they found.
fn warned(facts: &Facts<'_>) -> Vec<String> {
    let costs = judge(facts).expect("fit");
    assert!(costs.iter().all(|cost| cost.code == Code::VmCosts));
    costs.into_iter().map(|cost| cost.found).collect()
}

#[test]
fn a_sound_vm_costs_nothing() {
    let vm = vm(|_| {});
    assert_eq!(judge(&stopped(&vm)), Ok(Vec::new()));
    assert_eq!(judge(&running(&vm)), Ok(Vec::new()));
}

#[test]
fn what_is_no_whole_machine_or_was_saved_is_refused() {
    let container = vm(|s| s.os_type = Some("exe".to_owned()));
    refused(&stopped(&container), "type exe");
    let saved = vm(|_| {});
    let facts = Facts {
        managed_save: true,
        ..stopped(&saved)
    };
    refused(&facts, "managed save");
}

#[test]
fn snapshots_cost_something() {
    let vm = vm(|_| {});
    let facts = Facts {
        snapshots: 1,
        ..stopped(&vm)
    };
    let found = warned(&facts);
    assert!(
        found.len() == 1 && found[0].contains("1 snapshot;"),
        "{found:?}"
    );
}
