use super::*;

#[test]
fn what_drivers_leave_out_is_none() {
    assert_eq!(text(b"5.6.0-k\0junk"), Some("5.6.0-k".to_owned()));
    assert_eq!(text(b"no end"), Some("no end".to_owned()));
    for empty in [&b""[..], b"\0", b"N/A\0", b"n/a", b"   \0"] {
        assert_eq!(text(empty), None);
    }
}

#[test]
fn names_that_no_netdev_can_have_are_not_asked_for() {
    for name in ["", "a-name-of-16-byte", "lo\0x", "accelnet-none"] {
        let error = driver_info(name).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENODEV), "{name}");
        assert!(channels(name).is_err(), "{name}");
    }
}

#[test]
fn the_loopback_has_no_queues_to_control() {
    assert_eq!(channels("lo").unwrap(), None);
}
