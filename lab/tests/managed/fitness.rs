//! VMs that cannot have a VF: refused with definition and running state unchanged.

use accelnet_lab::{Node, topologies};

use crate::setting::{define, managed, refused, vnic};

/// The definition and what runs.
fn texts(node: &Node, vm: &str) -> (String, String) {
    (
        node.ok(&format!("virsh dumpxml {vm} --inactive --security-info")),
        node.ok(&format!("virsh dumpxml {vm}")),
    )
}

/// Defines a VM with a vNIC on the intent's switch, and what `edit` (sed) makes of it, and starts it.
fn runs(node: &Node, name: &str, place: u8, edit: &str) {
    define(node, name, 2, &vnic(place));
    let _ = node.ok(&format!(
        "set -e; virsh dumpxml {name} --inactive > /tmp/{name}.xml; virsh undefine {name}
         sed -i {edit} /tmp/{name}.xml; virsh define /tmp/{name}.xml; virsh start {name}"
    ));
}

/// Refused, with these words, by a dry run and by the change; the VM runs as before.
fn refused_unchanged(node: &Node, vm: &str, words: &str) {
    let before = texts(node, vm);
    for dry_run in ["--dry-run", ""] {
        let args = format!("vm enable {vm} --performance low --now {dry_run}");
        let problem = refused(node, &args, "vm_unfit", 83);
        let found = problem["found"].as_str().unwrap_or_default();
        assert!(found.contains(words), "{problem:#}");
    }
    assert_eq!(texts(node, vm), before);
    assert_eq!(node.ok(&format!("virsh domstate {vm}")).trim(), "running");
}

#[test]
fn a_vm_that_cannot_have_a_vf_is_refused_unchanged() {
    let node = managed(&topologies::igb_acs(), None);
    // libvirt gives the older machine its own controllers; the watchdog is part of a q35.
    let i440fx = r#"-e "s/machine='pc-q35[^']*'/machine='pc'/" \
        -e "/<controller type='pci'/,/<\/controller>/d" -e "/<address type='pci'/d" -e "/<watchdog/d""#;
    runs(&node, "old", 0x50, i440fx);
    refused_unchanged(&node, "old", "has no PCI Express");

    let iommu = r#"-e "s:</devices>:<iommu model='intel'><driver intremap='on'/></iommu></devices>:" \
        -e "s:<acpi/>:<acpi/><ioapic driver='qemu'/>:""#;
    runs(&node, "behind", 0x51, iommu);
    refused_unchanged(&node, "behind", "no caching mode");

    // More than the node has, and next to none of it touched.
    let _ = node.ok("sysctl -q vm.overcommit_memory=1");
    let large = r#"-e "s:<memory .*:<memory unit='GiB'>16</memory>:" -e "/<currentMemory/d""#;
    runs(&node, "large", 0x52, large);
    refused_unchanged(&node, "large", "A VF locks its 16384 MiB of memory");
    let script = "begin=$(date +%s%3N)
         accelnet vm enable large --performance low --now > /dev/null 2>&1
         [ $? = 83 ] && echo $(($(date +%s%3N) - begin))";
    let took: u64 = node.ok(script).trim().parse().unwrap_or(u64::MAX);
    println!("refused after {took} ms");
    // Locking the memory would keep the node for minutes.
    assert!(took < 10_000, "{took} ms");

    // A vNIC on the root bus.
    let fixed = r#"-e "/<interface/,/<\/interface>/s:<address type='pci'.*:<address type='pci' domain='0' bus='0' slot='0x0a' function='0'/>:""#;
    runs(&node, "fixed", 0x53, fixed);
    refused_unchanged(&node, "fixed", "on PCI bus 0 cannot be unplugged");
    assert_eq!(
        node.ok("accelnet vm list --output json | grep -c '\"accelerated\"'; true")
            .trim(),
        "0"
    );
}
