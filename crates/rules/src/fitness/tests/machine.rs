//! PCI Express, virtual IOMMUs, encryption, places and vNICs.

use super::*;

fn iommu(model: &str, caching_mode: bool) -> Domain {
    vm(|s| {
        s.iommu = Some(GuestIommu {
            model: model.to_owned(),
            caching_mode,
        });
    })
}

#[test]
fn a_failover_device_needs_pci_express() {
    let old = vm(|s| {
        s.machine = Some("pc-i440fx-10.0".to_owned());
        s.slots.pcie = Some(false);
    });
    let problem = refused(&stopped(&old), "pc-i440fx-10.0 has no PCI Express");
    assert!(problem.resolution.contains("q35"));
}

#[test]
fn a_definition_without_controllers_is_judged_by_its_machine_type() {
    let fits = [
        ("pc-q35-10.0", true),
        ("virt-10.0", true),
        ("pc-i440fx-9.2", false),
        ("pc", false),
        ("isapc", false),
        ("microvm", false),
        ("pseries-10.0", false),
        ("s390-ccw-virtio-10.0", false),
    ];
    for (machine, fit) in fits {
        let vm = vm(|s| {
            s.machine = Some(machine.to_owned());
            s.slots.pcie = None;
        });
        assert_eq!(judge(&stopped(&vm)).is_ok(), fit, "{machine}");
    }
}

#[test]
fn a_virtual_iommu_has_to_pass_mappings_on() {
    assert_eq!(judge(&stopped(&iommu("intel", true))), Ok(Vec::new()));
    assert_eq!(judge(&stopped(&iommu("virtio", false))), Ok(Vec::new()));
    let problem = refused(&stopped(&iommu("intel", false)), "no caching mode");
    assert!(problem.resolution.contains("caching_mode='on'"));
    refused(&stopped(&iommu("amd", false)), "IOMMU (amd)");
    refused(&stopped(&iommu("smmuv3", false)), "IOMMU (smmuv3)");
}

#[test]
fn a_fit_definition_does_not_make_what_runs_fit() {
    let (definition, runs) = (iommu("intel", true), iommu("intel", false));
    let facts = Facts {
        live: Some(&runs),
        ..running(&definition)
    };
    let problem = refused(&facts, "As it runs: Its Intel IOMMU");
    assert!(problem.resolution.starts_with("Stop and start the VM"));
    // It gets its VF with its next start: then the definition counts.
    let waits = Facts {
        steps: &[Step::WriteConfig, Step::JoinNic, Step::DefineVf],
        ..facts
    };
    assert_eq!(judge(&waits), Ok(Vec::new()));
}

#[test]
fn private_memory_needs_a_qemu_that_shares_it_with_devices() {
    let encrypted = |kind: &str| vm(|s| s.encryption = Some(kind.to_owned()));
    let (snp, tdx, sev) = (encrypted("sev-snp"), encrypted("tdx"), encrypted("sev"));
    let with = |vm, qemu| Facts {
        qemu,
        ..stopped(vm)
    };
    refused(
        &with(&snp, Some(Version::new(10, 0, 2))),
        "(sev-snp), and QEMU 10.0.2",
    );
    refused(&with(&tdx, None), "unknown version");
    assert!(judge(&with(&snp, Some(Version::new(10, 1, 0)))).is_ok());
    let found = warned(&stopped(&sev));
    assert!(found[0].contains("copies"), "{found:?}");
}

#[test]
fn a_vf_needs_a_place() {
    let full = vm(|s| s.slots.free = Some(0));
    refused(&stopped(&full), "4 PCI Express ports");
    let free = vm(|_| {});
    let facts = Facts {
        live: Some(&full),
        ..running(&free)
    };
    refused(&facts, "As it runs: All of its 4");
    // It has its VF: nothing is plugged in.
    let has_it = Facts {
        steps: &[Step::WriteConfig],
        ..running(&full)
    };
    assert_eq!(judge(&has_it), Ok(Vec::new()));
    let portless = vm(|s| {
        s.slots.root_ports = 0;
        s.slots.free = Some(0);
    });
    assert!(judge(&stopped(&portless)).is_ok(), "libvirt adds one");
    refused(&running(&portless), "no PCI Express port");
}

#[test]
fn a_vnic_of_the_root_bus_cannot_be_plugged_anew() {
    let mut fixed = vm(|_| {});
    fixed.vnics.push(Vnic {
        mac: Some(MAC),
        guest_address: Some(GuestPlace {
            bus: 0,
            controller: Some("pcie-root".to_owned()),
            no_unplug_reason: Some("devices of the root bus are part of the machine".to_owned()),
        }),
        ..Vnic::default()
    });
    let problem = refused(&running(&fixed), "on PCI bus 0 cannot be unplugged");
    assert!(problem.resolution.contains("without --now"));
    // It has the failover feature already, or waits for its next start.
    for steps in [
        &[Step::WriteConfig, Step::AttachVf][..],
        &[Step::WriteConfig, Step::JoinNic],
    ] {
        let facts = Facts {
            steps,
            ..running(&fixed)
        };
        assert_eq!(judge(&facts), Ok(Vec::new()));
    }
}
