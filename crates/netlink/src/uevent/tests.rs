use super::*;

fn text(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(0);
    }
    bytes
}

#[test]
fn a_vf_that_gets_a_driver() {
    let path = "/devices/pci0000:00/0000:00:01.0/0000:01:10.0";
    let datagram = text(&[
        &format!("bind@{path}"),
        "ACTION=bind",
        &format!("DEVPATH={path}"),
        "SUBSYSTEM=pci",
        "DRIVER=vfio-pci",
        "PCI_CLASS=20000",
        "PCI_SLOT_NAME=0000:01:10.0",
        "SEQNUM=4242",
    ]);
    let event = parse(&datagram).unwrap();
    assert_eq!(
        event,
        Uevent {
            action: UeventAction::Bind,
            subsystem: Subsystem::Pci,
            path: path.to_owned(),
            address: "0000:01:10.0".parse().ok(),
            interface: None,
            driver: Some("vfio-pci".to_owned()),
        }
    );
}

#[test]
fn a_network_device_is_named_and_a_vfio_device_is_one() {
    let net = parse(&text(&[
        "move@/devices/virtual/net/eth1",
        "SUBSYSTEM=net",
        "INTERFACE=eth1",
    ]));
    assert_eq!(net.unwrap().interface.as_deref(), Some("eth1"));
    let vfio = parse(&text(&[
        "add@/devices/x/vfio-dev/vfio0",
        "SUBSYSTEM=vfio-dev",
    ]));
    assert_eq!(vfio.unwrap().subsystem, Subsystem::Vfio);
}

#[test]
fn other_devices_and_other_bytes_do_not_concern_us() {
    for lines in [
        &["add@/devices/x/block/sda", "SUBSYSTEM=block"][..],
        &["add@/devices/x"],
        &["offline@/devices/x", "SUBSYSTEM=pci"],
        &["libudev"],
        &[],
    ] {
        assert_eq!(parse(&text(lines)), None, "{lines:?}");
    }
    assert_eq!(parse(b"\xff\xfe@\0SUBSYSTEM"), None);
}
