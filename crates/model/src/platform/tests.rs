use super::*;

#[test]
fn a_version_is_what_a_release_begins_with() {
    let cases = [
        ("6.12.48+deb13-amd64", Version::new(6, 12, 48)),
        ("5.14.0-503.el9.x86_64", Version::new(5, 14, 0)),
        ("6.13-rc3", Version::new(6, 13, 0)),
        ("6.13.", Version::new(6, 13, 0)),
        ("7", Version::new(7, 0, 0)),
        ("6.1.112.4", Version::new(6, 1, 112)),
    ];
    for (text, version) in cases {
        assert_eq!(text.parse(), Ok(version), "{text}");
    }
    for text in ["", "v6.1", "Linux 6.1", ".6", "99999999999.1"] {
        assert!(text.parse::<Version>().is_err(), "{text:?}");
    }
}

#[test]
fn versions_are_ordered_by_their_numbers() {
    assert!(Version::new(5, 4, 300) < Version::new(5, 14, 0));
    assert!(Version::new(10, 0, 0) > Version::new(9, 99, 99));
}

#[test]
fn libvirt_puts_its_version_into_one_number() {
    assert_eq!(Version::from_libvirt(11_003_002), Version::new(11, 3, 2));
    assert_eq!(Version::from_libvirt(7_001_000), Version::new(7, 1, 0));
}
