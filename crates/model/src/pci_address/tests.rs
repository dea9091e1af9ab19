use super::*;

#[test]
fn both_forms_of_the_kernel_are_read() {
    let full: PciAddress = "0000:01:1f.7".parse().expect("an address");
    assert_eq!("01:1f.7".parse(), Ok(full));
    assert_eq!(full.to_string(), "0000:01:1f.7");
    let vmd: PciAddress = "10000:e1:00.0".parse().expect("behind a VMD controller");
    assert_eq!(vmd.domain, 0x10000);
    assert_eq!(vmd.to_string(), "10000:e1:00.0");
}

#[test]
fn anything_else_is_none() {
    for text in [
        "",
        "ens1",
        "0000:01:00",
        "0000:01:20.0",
        "0000:01:00.8",
        "0000:1:00.0",
        "000:01:00.0",
        "0000:01:00.00",
        "0000:+1:00.0",
        "0000:01:00.0 ",
        "52:54:00:aa:00:01",
    ] {
        assert!(text.parse::<PciAddress>().is_err(), "{text:?}");
    }
}

#[test]
fn every_routing_id_leads_back_to_itself() {
    let domain: PciAddress = "0002:00:00.0".parse().expect("an address");
    for id in 0..=u16::MAX {
        let function = domain.with_routing_id(id);
        assert_eq!(function.routing_id(), id);
        assert_eq!(function.to_string().parse(), Ok(function));
    }
}
