use accelnet_model::domain::{DomainSettings, DomainState};

use super::*;

fn vm(change: impl FnOnce(&mut DomainSettings)) -> Domain {
    let mut settings = DomainSettings {
        os_type: Some("hvm".to_owned()),
        machine: Some("pc-q35-10.0".to_owned()),
        ..DomainSettings::default()
    };
    settings.slots.root_ports = 4;
    settings.slots.free = Some(2);
    change(&mut settings);
    Domain {
        name: "web1".to_owned(),
        uuid: "2f6a5b1c-0000-4000-8000-000000000001".to_owned(),
        state: DomainState::ShutOff,
        persistent: true,
        vcpus: 4,
        memory_mib: 2048,
        vnics: Vec::new(),
        host_devices: Vec::new(),
        settings,
    }
}

#[test]
fn a_sound_vm_costs_nothing() {
    assert_eq!(judge(&vm(|_| {}), false, 0), Ok(Vec::new()));
}

#[test]
fn what_cannot_work_is_an_error_that_names_it() {
    let cases: [(Domain, bool, &str); 5] = [
        (
            vm(|s| s.os_type = Some("exe".to_owned())),
            false,
            "type exe",
        ),
        (vm(|_| {}), true, "managed save"),
        (
            vm(|s| s.memory.hard_limit_mib = Some(1024)),
            false,
            "1024 MiB",
        ),
        (vm(|s| s.slots.free = Some(0)), false, "4 PCI Express ports"),
        (
            vm(|s| {
                s.slots.free = Some(0);
                s.machine = Some("pc-i440fx-10.0".to_owned());
            }),
            false,
            "No PCI slot",
        ),
    ];
    for (vm, saved, words) in cases {
        let problem = judge(&vm, saved, 0).expect_err("unfit");
        assert_eq!(problem.code, Code::VmUnfit);
        assert!(problem.found.contains(words), "{}", problem.found);
    }
}

#[test]
fn what_costs_is_a_warning() {
    let vm = vm(|s| {
        s.memory.current_mib = Some(1024);
        s.memory.most_mib = Some(8192);
        s.machine = Some("pc-i440fx-10.0".to_owned());
    });
    let costs = judge(&vm, false, 1).expect("works");
    let found: Vec<&str> = costs.iter().map(|cost| cost.found.as_str()).collect();
    assert_eq!(costs.len(), 4, "{found:?}");
    assert!(costs.iter().all(|cost| cost.code == Code::VmCosts));
}
