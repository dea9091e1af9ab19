//! Advice by architecture, vendor and what the kernel was booted with.

use accelnet_sim::tree::PlatformSpec;
use accelnet_sim::{AdapterSpec, Tree};

use crate::{Copy, Row, at, behind_a_port};

fn machine(change: impl FnOnce(&mut PlatformSpec)) -> Tree {
    behind_a_port(AdapterSpec::igb(at("0000:01:00.0"), "ens1")).platform(change)
}

/// A node of that architecture whose IOMMU and KVM are off.
fn switched_off(architecture: &str, command_line: &str, modules: &[&str]) -> Copy {
    Copy::of(machine(|machine| {
        machine.architecture = architecture.to_owned();
        machine.command_line = command_line.to_owned();
        machine.modules = modules.iter().map(|one| (*one).to_owned()).collect();
        machine.kvm = false;
        machine.iommus.clear();
    }))
}

fn rows(kvm: &'static str, iommu: &'static str) -> [Row; 3] {
    [
        ("kvm", "node1", "failed", "kvm_unusable", kvm),
        ("iommu", "node1", "failed", "iommu_off", iommu),
        (
            "platform",
            "node1",
            "failed",
            "Accel_net_not_supported",
            "kvm, iommu",
        ),
    ]
}

/// Report: Proxmox-Arm64 25, harvester 9265.
#[test]
fn arm_gets_no_hint_for_vt_x() {
    let copy = switched_off(
        "aarch64",
        "root=/dev/sda2 iommu.passthrough=1",
        &["vfio_pci"],
    );
    copy.stands_out(&[], &rows("started in EL2", "Enable the SMMU"));
    let (rows, _) = copy.prereq(&[]);
    let said = format!("{rows:?}");
    for x86 in ["VT-x", "kvm_intel", "VT-d", "qemu-system-x86", "BIOS"] {
        assert!(!said.contains(x86), "{x86}: {said}");
    }
}

/// `amd_iommu=off` (Documentation/admin-guide/kernel-parameters.txt).
#[test]
fn amd_gets_a_hint_for_amd_vi_and_the_parameter() {
    let copy = switched_off("x86_64", "ro amd_iommu=off quiet", &["kvm_amd", "vfio_pci"]);
    copy.stands_out(
        &[],
        &rows(
            "kvm_amd is loaded",
            "Remove 'amd_iommu=off' from the kernel command line.",
        ),
    );
    let (rows, _) = copy.prereq(&[]);
    assert!(!format!("{rows:?}").contains("intel"), "{rows:#?}");
}

#[test]
fn intel_gets_a_hint_for_vt_d() {
    let copy = switched_off("x86_64", "ro intel_iommu=off", &["kvm_intel", "vfio_pci"]);
    copy.stands_out(
        &[],
        &rows(
            "VT-x",
            "Remove 'intel_iommu=off' from the kernel command line. Enable VT-d",
        ),
    );
}

/// `iommu=off` is generic to x86.
#[test]
fn a_generic_parameter_is_named() {
    let copy = switched_off("x86_64", "iommu=off ro", &["kvm_intel", "vfio_pci"]);
    copy.stands_out(
        &[],
        &rows("VT-x", "Remove 'iommu=off' from the kernel command line."),
    );
}

#[test]
fn power_gets_a_hint_for_its_own_modules() {
    let copy = switched_off("ppc64le", "root=/dev/sda2", &["vfio_pci"]);
    copy.stands_out(&[], &rows("modprobe kvm_hv", "bare-metal (PowerNV)"));
}

#[test]
fn ibm_z_gets_a_hint_for_its_lpar() {
    let copy = switched_off("s390x", "root=/dev/dasda1", &["vfio_pci"]);
    copy.stands_out(
        &[],
        &rows("in an LPAR", "Assign PCI functions to this LPAR"),
    );
}

/// A kernel without `/proc/sys/kernel/arch` (before Linux 6.1): the processor shows it.
#[test]
fn an_older_kernel_shows_its_architecture_by_the_processor() {
    for (line, words) in [
        ("CPU implementer\t: 0x48", "started in EL2"),
        ("vendor_id\t: AuthenticAMD", "SVM (AMD-V)"),
        ("vendor_id\t: GenuineIntel", "Enable VT-x"),
    ] {
        let copy = switched_off("", "", &["vfio_pci"]);
        std::fs::remove_file(copy.root().join("proc/sys/kernel/arch")).expect("removed");
        let processor = format!("processor\t: 0\n{line}\n");
        std::fs::write(copy.root().join("proc/cpuinfo"), processor).expect("written");
        let (rows, _) = copy.prereq(&[]);
        let kvm = rows.iter().find(|row| row["name"] == "kvm").expect("a row");
        let how = kvm["resolution"].as_str().expect("text");
        assert!(how.contains(words), "{line}: {how}");
    }
}

/// Memory for VF BARs that the firmware did not assign.
#[test]
fn the_memory_of_vfs_is_assigned_by_each_machines_firmware() {
    for (architecture, words) in [
        ("x86_64", "Above 4G decoding"),
        ("aarch64", "64-bit memory window"),
    ] {
        let igb = AdapterSpec::igb(at("0000:01:00.0"), "ens1");
        let igb = igb.sriov(|sriov| sriov.bars_assigned = false);
        let tree = behind_a_port(igb)
            .platform(|machine| architecture.clone_into(&mut machine.architecture));
        Copy::of(tree).stands_out(
            &[],
            &[(
                "vf-memory",
                "ens1",
                "failed",
                "vf_memory_not_assigned",
                words,
            )],
        );
    }
}

/// A whole copy passes.
#[test]
fn a_whole_copy_can_pass() {
    let copy = Copy::of(machine(|_| {}));
    copy.stands_out(&[], &[]).would_create("ens1", 7);
    let (answer, status) = copy.ask(&["prereq"]);
    assert_eq!((status, &answer["passed"]), (0, &true.into()));
    let checks = answer["checks"].as_array().expect("rows");
    let not_judged = checks.iter().filter(|row| row["outcome"] == "not-judged");
    let names: Vec<&str> = not_judged.filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["libvirt", "qemu"]);
}

#[test]
fn a_copy_that_is_not_there_is_an_error() {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_accelnet"));
    let output = program
        .args(["--root", "/nowhere", "prereq"])
        .output()
        .expect("runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no such file or directory"), "{said}");
}

/// Of several words for `intel_iommu` the last one holds (intel_iommu_setup, drivers/iommu/intel), a list is read
/// whole, and Intel's parameter is nothing to a machine by AMD.
#[test]
fn the_parameters_that_hold_are_named_and_no_others() {
    let off = "The kernel was booted with";
    for (architecture, module, line, named) in [
        (
            "x86_64",
            "kvm_intel",
            "intel_iommu=off intel_iommu=on",
            None,
        ),
        (
            "x86_64",
            "kvm_intel",
            "intel_iommu=on intel_iommu=off",
            Some("'intel_iommu=off'"),
        ),
        (
            "x86_64",
            "kvm_intel",
            "intel_iommu=sm_on,off",
            Some("'intel_iommu=sm_on,off'"),
        ),
        ("x86_64", "kvm_intel", "amd_iommu=off", None),
        ("x86_64", "kvm_amd", "intel_iommu=off", None),
        (
            "x86_64",
            "kvm_amd",
            "amd_iommu=fullflush,off iommu=off",
            Some("'amd_iommu=fullflush,off iommu=off'"),
        ),
        ("aarch64", "kvm", "intel_iommu=off iommu=off", None),
        ("ppc64le", "kvm_hv", "iommu=off", Some("'iommu=off'")),
    ] {
        let copy = switched_off(architecture, line, &[module, "vfio_pci"]);
        let (rows, _) = copy.prereq(&[]);
        let row = rows.iter().find(|row| row["name"] == "iommu");
        let row = row.expect("a row");
        let found = row["found"].as_str().expect("text");
        let how = row["resolution"].as_str().expect("text");
        match named {
            Some(named) => {
                assert!(
                    found.contains(&format!("{off} {named}.")),
                    "{line}: {found}"
                );
                assert!(
                    how.starts_with(&format!("Remove {named} ")),
                    "{line}: {how}"
                );
            }
            None => {
                assert!(!found.contains(off), "{line}: {found}");
                assert!(!how.contains("Remove"), "{line}: {how}");
            }
        }
    }
}

/// A kernel that was asked to use VT-d, and a firmware that hides it.
#[test]
fn a_parameter_that_is_there_is_not_advised() {
    let copy = switched_off(
        "x86_64",
        "intel_iommu=on iommu=pt",
        &["kvm_intel", "vfio_pci"],
    );
    let (rows, _) = copy.prereq(&[]);
    let row = rows.iter().find(|row| row["name"] == "iommu");
    let how = &row.expect("a row")["resolution"];
    assert_eq!(how, "Enable VT-d in the BIOS and reboot.");
}

/// `kvm-arm.mode=none` (arch/arm64/kvm/arm.c) is named where it is, and only there.
#[test]
fn kvm_that_arm_was_booted_without_is_named() {
    for (line, is_named) in [("kvm-arm.mode=none", true), ("quiet", false)] {
        let copy = switched_off("aarch64", line, &["vfio_pci"]);
        let (rows, _) = copy.prereq(&[]);
        let row = rows.iter().find(|row| row["name"] == "kvm").expect("a row");
        let how = row["resolution"].as_str().expect("text");
        assert_eq!(how.contains("kvm-arm.mode=none"), is_named, "{how}");
    }
}

/// POWER has groups and no IOMMU in /sys/class/iommu (pci_setup_device_group of arch/powerpc): it passes.
#[test]
fn a_power_machine_with_groups_passes() {
    let copy = Copy::of(machine(|machine| {
        machine.architecture = "ppc64le".to_owned();
        machine.modules = ["kvm_hv", "vfio_pci"].map(String::from).into();
    }));
    let units = copy.root().join("sys/class/iommu");
    std::fs::remove_dir_all(&units).expect("removed");
    copy.stands_out(&[], &[])
        .passes("iommu", "node1", "IOMMU groups.")
        .would_create("ens1", 7);
}
