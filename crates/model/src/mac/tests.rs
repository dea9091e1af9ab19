use super::*;

#[test]
fn six_pairs_of_hexadecimal_digits() {
    let mac: Mac = "52:54:00:AA:00:01".parse().expect("a MAC");
    assert_eq!(mac, Mac([0x52, 0x54, 0, 0xaa, 0, 1]));
    assert_eq!(mac.to_string(), "52:54:00:aa:00:01");
    for text in [
        "",
        "52:54:00:aa:00",
        "52:54:00:aa:00:01:02",
        "52:54:0:aa:00:01",
        "52-54-00-aa-00-01",
        "+2:54:00:aa:00:01",
        "52:54:00:aa:00:0g",
    ] {
        assert!(text.parse::<Mac>().is_err(), "{text:?}");
    }
}

#[test]
fn group_addresses_are_distinguished() {
    assert!(Mac([0xff; 6]).is_multicast());
    assert!(Mac([1, 0, 0x5e, 0, 0, 1]).is_multicast());
    assert!(!Mac([0x52, 0x54, 0, 0, 0, 1]).is_multicast());
}
