//! Against libvirt's own test driver, where libvirt is installed.

use std::fs;

use accelnet_model::PciAddress;

use super::*;

/// Whether libvirt's library is there; prints a note when it is not.
fn installed() -> bool {
    match Connection::open_read_only("test:///default") {
        Err(error @ LibvirtError::NotInstalled { .. }) => {
            eprintln!("SKIPPED: {error}");
            false
        }
        Err(error) => panic!("{error}"),
        Ok(_) => true,
    }
}

/// A node of the test driver with these domains.
fn node(domains: &str) -> (tempfile::TempDir, Libvirt) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.xml");
    fs::write(&path, format!("<node>{domains}</node>")).unwrap();
    let libvirt = Libvirt::open_uri(&format!("test://{}", path.display())).unwrap();
    (folder, libvirt)
}

#[test]
fn the_default_domain_is_read() {
    if !installed() {
        return;
    }
    let libvirt = Libvirt::open_uri("test:///default").unwrap();
    assert!(libvirt.versions().unwrap().libvirt >= Version::new(7, 1, 0));
    let domains = libvirt.domains().unwrap();
    assert_eq!(domains.unreadable, []);
    let [domain] = &domains.read[..] else {
        panic!("one domain, not {}", domains.read.len());
    };
    assert_eq!(domain.name, "test");
    assert_eq!(domain.uuid, "6695eb01-f6a4-8304-79aa-97f2502e193f");
    assert_eq!(domain.state, DomainState::Running);
    assert!(domain.persistent);
    assert_eq!((domain.vcpus, domain.memory_mib), (2, 8192));
}

#[test]
fn devices_come_through_the_library() {
    if !installed() {
        return;
    }
    let (_folder, libvirt) = node(
        "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'>
           <name>stopped</name><memory unit='GiB'>1</memory><vcpu>1</vcpu>
           <os><type>hvm</type></os>
           <test:runstate>5</test:runstate>
         </domain>
         <domain type='test'>
           <name>running</name><memory unit='GiB'>2</memory><vcpu current='2'>4</vcpu>
           <os><type>hvm</type></os>
           <devices>
             <interface type='bridge'>
               <mac address='52:54:00:11:22:33'/><source bridge='br0'/><model type='virtio'/>
             </interface>
             <hostdev mode='subsystem' type='pci' managed='yes'>
               <source><address domain='0x0000' bus='0x06' slot='0x10' function='0x2'/></source>
             </hostdev>
           </devices>
         </domain>",
    );
    let domains = libvirt.domains().unwrap();
    assert_eq!(domains.unreadable, []);
    let [running, stopped] = &domains.read[..] else {
        panic!("two domains, not {}", domains.read.len());
    };
    assert_eq!(running.name, "running");
    assert_eq!(running.state, DomainState::Running);
    assert_eq!((running.vcpus, running.memory_mib), (2, 2048));
    assert_eq!(running.vnics[0].source.as_deref(), Some("br0"));
    let held: PciAddress = "0000:06:10.2".parse().unwrap();
    assert_eq!(running.host_devices, [held]);
    assert_eq!(stopped.name, "stopped");
    assert_eq!(stopped.state, DomainState::ShutOff);
}

#[test]
fn errors_keep_libvirts_words() {
    if !installed() {
        return;
    }
    let error = |uri| Libvirt::open_uri(uri).err().unwrap();
    let nothing = error("qemu+unix:///system?socket=/nonexistent/libvirt-sock");
    assert!(
        matches!(nothing, LibvirtError::NotRunning { .. }),
        "{nothing}"
    );
    assert!(
        nothing.to_string().contains("/nonexistent/libvirt-sock"),
        "{nothing}"
    );
    let unread = error("test:///nonexistent/node.xml");
    assert!(matches!(unread, LibvirtError::Failed { .. }), "{unread}");
    assert!(
        unread.to_string().contains("/nonexistent/node.xml"),
        "{unread}"
    );
    assert!(error("qemu:///\0").to_string().contains("nul byte"));
}

#[test]
fn every_state_has_a_word() {
    assert_eq!(state(0), DomainState::Unknown);
    assert_eq!(state(1), DomainState::Running);
    assert_eq!(state(3), DomainState::Paused);
    assert_eq!(state(5), DomainState::ShutOff);
    assert_eq!(state(6), DomainState::Crashed);
    assert_eq!(state(7), DomainState::Suspended);
    assert_eq!(state(99), DomainState::Unknown);
}
