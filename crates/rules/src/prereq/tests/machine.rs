//! The rows of a node's machine and software, and of SMT over all nodes.

use accelnet_model::platform::{
    Architecture, Iommu, Kernel, Kvm, Libvirt, Lockdown, Platform, Smt, Version, Vfio,
};

use accelnet_model::firewall::{
    BridgeFilter, Calls, Chain, Condition, Family, FilteredBridge, Firewall, Names, Policy, Rule,
    Verdict,
};

use super::*;

/// The row of `check` for a node after `change`, and that of the platform as a whole.
fn rows(check: CheckName, change: impl FnOnce(&mut Platform)) -> [(Outcome, Option<Code>); 2] {
    let mut node = node();
    change(&mut node.platform);
    [check, CheckName::Platform].map(|check| came_out(&row(&node, check)))
}

/// A row that did not pass, and the sum, which did not pass either.
fn not_passed(own: (Outcome, Option<Code>)) -> [(Outcome, Option<Code>); 2] {
    [own, failed(Code::AccelNetNotSupported)]
}

fn release(version: Version) -> Observed<Kernel> {
    Observed::Known(Kernel {
        release: version.to_string(),
        version,
    })
}

#[test]
fn kernel() {
    let judged = |kernel| rows(CheckName::Kernel, |platform| platform.kernel = kernel);
    assert_eq!(judged(release(MINIMUM_KERNEL)), [PASSED; 2]);
    let old = release(Version::new(5, 13, 999));
    assert_eq!(judged(old), not_passed(failed(Code::KernelTooOld)));
    assert_eq!(judged(Observed::unknown("?")), not_passed(UNKNOWN));
}

#[test]
fn lockdown_is_worth_knowing_and_never_stops() {
    let judged = |level| rows(CheckName::Lockdown, |platform| platform.lockdown = level);
    assert_eq!(judged(Observed::Known(None)), [PASSED; 2]);
    for level in [Lockdown::Integrity, Lockdown::Confidentiality] {
        let row = [warned(Code::KernelLockdown), PASSED];
        assert_eq!(judged(Observed::Known(Some(level))), row);
    }
    let row = [warned(Code::NotReadable), PASSED];
    assert_eq!(judged(Observed::unknown("no permission")), row);
}

#[test]
fn kvm() {
    let judged = |kvm| rows(CheckName::Kvm, |platform| platform.kvm = kvm);
    let reason = "no".to_owned();
    let missing = Kvm::Missing {
        reason: reason.clone(),
    };
    for unusable in [missing, Kvm::Broken { reason }] {
        let row = not_passed(failed(Code::KvmUnusable));
        assert_eq!(judged(Observed::Known(unusable)), row);
    }
    assert_eq!(
        judged(Observed::unknown("no permission")),
        not_passed(UNKNOWN)
    );
}

#[test]
fn iommu() {
    let judged = |iommu| rows(CheckName::Iommu, |platform| platform.iommu = iommu);
    for units in [Vec::new(), vec!["dmar0".to_owned()]] {
        let off = Observed::Known(Iommu {
            units,
            groups: 0,
            unsafe_groups: 0,
        });
        assert_eq!(judged(off), not_passed(failed(Code::IommuOff)));
    }
    assert_eq!(
        judged(Observed::unknown("no permission")),
        not_passed(UNKNOWN)
    );
}

#[test]
fn vfio() {
    let judged = |vfio| rows(CheckName::Vfio, |platform| platform.vfio = vfio);
    assert_eq!(judged(Observed::Known(Vfio::Available)), [PASSED; 2]);
    let missing = Observed::Known(Vfio::Missing);
    assert_eq!(judged(missing), not_passed(failed(Code::VfioMissing)));
    assert_eq!(judged(Observed::unknown("?")), not_passed(UNKNOWN));
}

#[test]
fn libvirt() {
    let judged = |libvirt| rows(CheckName::Libvirt, |platform| platform.libvirt = libvirt);
    let version = |version| Observed::Known(Libvirt::Running { version });
    assert_eq!(judged(version(MINIMUM_LIBVIRT)), [PASSED; 2]);
    let old = version(Version::new(7, 0, 9));
    assert_eq!(judged(old), not_passed(failed(Code::LibvirtTooOld)));
    // The release before and the one after attach an interface of a hostdev network.
    let faulty = version(Version::new(12, 1, 0));
    assert_eq!(judged(faulty), not_passed(failed(Code::LibvirtFaulty)));
    for sound in [Version::new(12, 0, 0), Version::new(12, 2, 0)] {
        assert_eq!(judged(version(sound)), [PASSED; 2]);
    }
    let silent = Libvirt::NotRunning {
        reason: "connection refused".to_owned(),
    };
    for missing in [Libvirt::Missing, silent] {
        let row = not_passed(failed(Code::LibvirtMissing));
        assert_eq!(judged(Observed::Known(missing)), row);
    }
    assert_eq!(judged(Observed::unknown("?")), not_passed(UNKNOWN));
}

/// A firewall that drops what is forwarded, unless these rules accept it, and these bridges of adapters.
fn dropping(rules: Vec<Rule>, bridges: &[&str]) -> Observed<BridgeFilter> {
    let bridge = |name: &&str| FilteredBridge {
        name: (*name).to_owned(),
        ports: vec!["ens1".to_owned()],
        has_adapter: true,
        calls: Calls::default(),
    };
    Observed::Known(BridgeFilter {
        calls: Calls {
            ip: true,
            ..Calls::default()
        },
        bridges: bridges.iter().map(bridge).collect(),
        links: Vec::new(),
        firewall: Observed::Known(Firewall {
            chains: vec![Chain {
                family: Family::Ip,
                table: "filter".to_owned(),
                name: "FORWARD".to_owned(),
                forward: Some(Policy::Drop),
                rules,
            }],
        }),
    })
}

#[test]
fn the_software_path() {
    let judged = |filter| {
        rows(CheckName::SoftwarePath, |platform| {
            platform.bridge_filter = filter;
        })
    };
    let accepted = |condition| Rule {
        conditions: vec![condition],
        verdict: Verdict::Accept,
    };
    let br0 = || {
        accepted(Condition::In(Names {
            any: vec!["br0".to_owned()],
            not: false,
        }))
    };
    let failed = not_passed(failed(Code::SoftwarePathDropped));
    assert_eq!(judged(dropping(Vec::new(), &[])), failed);
    assert_eq!(judged(dropping(Vec::new(), &["br0"])), failed);
    assert_eq!(judged(dropping(vec![br0()], &["br0"])), [PASSED; 2]);
    // One of them is enough for VMs; the others are worth knowing.
    let some = judged(dropping(vec![br0()], &["br0", "br1"]));
    assert_eq!(some, [warned(Code::SoftwarePathDropped), PASSED]);
    let unclear = judged(dropping(vec![accepted(Condition::Other)], &["br0"]));
    assert_eq!(unclear, [warned(Code::SoftwarePathUnclear), PASSED]);
    let unread = judged(Observed::unknown("no permission"));
    assert_eq!(unread, [warned(Code::NotReadable), PASSED]);
}

#[test]
fn a_daemon_that_does_not_answer_is_quoted() {
    let mut node = node();
    node.platform.libvirt = Observed::Known(Libvirt::NotRunning {
        reason: "connection refused".to_owned(),
    });
    let row = row(&node, CheckName::Libvirt);
    assert_eq!(row.cause.as_deref(), Some("connection refused"));
}

#[test]
fn qemu() {
    let judged = |qemu| rows(CheckName::Qemu, |platform| platform.qemu = qemu);
    assert_eq!(judged(Observed::Known(Some(MINIMUM_QEMU))), [PASSED; 2]);
    let old = Observed::Known(Some(Version::new(4, 1, 9)));
    assert_eq!(judged(old), not_passed(failed(Code::QemuTooOld)));
    let missing = Observed::Known(None);
    assert_eq!(judged(missing), not_passed(failed(Code::QemuMissing)));
    assert_eq!(judged(Observed::unknown("?")), not_passed(UNKNOWN));
}

#[test]
fn the_platform_names_everything_that_is_not_as_it_should_be() {
    let mut node = node();
    node.platform.vfio = Observed::Known(Vfio::Missing);
    node.platform.kvm = Observed::unknown("no permission");
    let whole = row(&node, CheckName::Platform);
    assert_eq!(whole.found, "Failed checks: kvm, vfio.");
}

/// The row of SMT over nodes with these.
fn smt(states: &[Observed<Smt>]) -> Check {
    let nodes: Vec<Node> = states
        .iter()
        .enumerate()
        .map(|(number, state)| {
            let mut node = node();
            node.name = Observed::Known(format!("n{}", number + 1));
            node.platform.smt = state.clone();
            node
        })
        .collect();
    let rows = judge(&nodes, &[], &Scope::All);
    let mut rows = rows
        .into_iter()
        .filter(|row| row.name == CheckName::Hyperthreading);
    let row = rows.next().expect("a row");
    assert_eq!(rows.next(), None, "one row for all nodes");
    row
}

#[test]
fn smt_must_be_the_same_on_all_nodes() {
    let on = || Observed::Known(Smt::On);
    let off = || Observed::Known(Smt::Off);
    let never = || Observed::Known(Smt::NotSupported);
    let found = |states: &[Observed<Smt>]| {
        let row = smt(states);
        assert_eq!(came_out(&row), PASSED);
        row.found
    };
    assert_eq!(found(&[on()]), "Hyperthreading is on.");
    assert_eq!(found(&[never()]), "Hyperthreading is off.");
    let all = "Hyperthreading is enabled on all nodes.";
    assert_eq!(found(&[on(), on(), on()]), all);
    let none = "Hyperthreading is disabled on all nodes.";
    assert_eq!(found(&[off(), never()]), none);

    let mixed = smt(&[on(), off(), never(), on()]);
    assert_eq!(came_out(&mixed), failed(Code::HyperthreadingCheckFailed));
    assert_eq!(mixed.found, "On: n1, n4. Off: n2, n3.");
    assert_eq!(mixed.subject, "cluster");
}

#[test]
fn one_node_without_an_answer_leaves_smt_unknown() {
    let hidden = smt(&[Observed::Known(Smt::On), Observed::unknown("no permission")]);
    assert_eq!(came_out(&hidden), UNKNOWN);
    assert!(hidden.message.contains("SMT of node n2"), "{hidden:?}");
}

#[test]
fn nodes_that_differ_differ_whatever_a_third_one_reports() {
    let third = Observed::unknown("no permission");
    let mixed = smt(&[Observed::Known(Smt::On), Observed::Known(Smt::Off), third]);
    assert_eq!(came_out(&mixed), failed(Code::HyperthreadingCheckFailed));
}

#[test]
fn without_nodes_there_is_nothing_to_judge() {
    assert_eq!(judge(&[], &[], &Scope::All), []);
}

/// What the rows of KVM and the IOMMU advise on a node with a function that has the ids of a VF, and no PF.
fn advice_beside_a_vf(ids: (u16, u16), with_pf: bool, architecture: Architecture) -> [bool; 2] {
    let mut stray = adapter();
    stray.address.bus = 9;
    stray.vendor.id = Observed::Known(ids.0);
    stray.device.id = Observed::Known(ids.1);
    stray.sriov = Observed::Known(None);
    let mut node = node();
    let pf = with_pf.then(adapter);
    node.adapters = Observed::Known(pf.into_iter().chain([stray]).collect());
    node.platform.architecture = architecture;
    let reason = "no".to_owned();
    node.platform.kvm = Observed::Known(Kvm::Missing { reason });
    node.platform.iommu = Observed::Known(Iommu {
        units: Vec::new(),
        groups: 0,
        unsafe_groups: 0,
    });
    [CheckName::Kvm, CheckName::Iommu].map(|check| {
        let row = row(&node, check);
        row.resolution.starts_with("This machine is a VM.")
    })
}

#[test]
fn a_host_with_a_function_that_has_the_ids_of_a_vf_is_not_taken_for_a_vm() {
    let mellanox = (0x15b3, 0x1016);
    assert_eq!(
        advice_beside_a_vf(mellanox, false, Architecture::Intel),
        [true; 2]
    );
    assert_eq!(
        advice_beside_a_vf(mellanox, true, Architecture::Intel),
        [false; 2]
    );
    assert_eq!(
        advice_beside_a_vf(mellanox, false, Architecture::S390x),
        [false; 2]
    );
    let amazon = (0x1d0f, 0xec20);
    assert_eq!(
        advice_beside_a_vf(amazon, false, Architecture::Intel),
        [false; 2]
    );
}
