use super::*;
use crate::testing::Authority;

#[test]
fn one_role_is_needed() {
    for (units, expected) in [
        (&["accelnet-reader"][..], Some(Role::Reader)),
        (&["Sales", "accelnet-operator"], Some(Role::Operator)),
        (&["accelnet-administrator"], Some(Role::Administrator)),
        (&["accelnet-reader", "accelnet-reader"], Some(Role::Reader)),
        (&["accelnet-reader", "accelnet-administrator"], None),
        (&["accelnet-root"], None),
        (&["accelnet-"], None),
        (&["ACCELNET-ADMINISTRATOR"], None),
        (&["administrator"], None),
        (&[], None),
    ] {
        assert_eq!(role(units.iter().copied()), expected, "{units:?}");
    }
}

#[test]
fn a_certificate_names_its_holder() {
    let ca = Authority::new("the CA");
    let anna = ca.client("anna", Some("accelnet-operator"));
    let identity = read(anna.der()).expect("an identity");
    assert_eq!(identity.role, Role::Operator);
    assert!(identity.subject.contains("CN=anna"), "{identity:?}");
    assert!(
        identity.subject.contains("OU=accelnet-operator"),
        "{identity:?}"
    );
    assert_eq!(identity.fingerprint.len(), 64);
    let nobody = ca.client("anna", None);
    assert_eq!(read(nobody.der()), Err(NoIdentity::NoRole));
    assert_eq!(
        read(&CertificateDer::from(vec![0x30, 0])),
        Err(NoIdentity::Unreadable)
    );
}

#[test]
fn a_subject_that_looks_like_another_is_none() {
    let ca = Authority::new("the CA");
    let role = Some("accelnet-reader");
    for (name, shown, why) in [
        (
            "an\u{202e}na",
            "\\u{202e}",
            "has characters that cannot be seen",
        ),
        (
            "anna\u{200b}",
            "\\u{200b}",
            "has characters that cannot be seen",
        ),
        (&"a".repeat(201), "... (", "is longer than 200 characters"),
    ] {
        let refused = read(ca.client(name, role).der()).expect_err("no identity");
        let said = refused.to_string();
        assert!(said.contains(shown) && said.ends_with(why), "{said}");
        assert!(!said.chars().any(outside::is_hidden), "{said:?}");
    }
    // What escapes a line feed is no line feed.
    let forged = read(ca.client("anna\nWHO=root", role).der());
    let one_line = |identity: &Identity| !identity.subject.chars().any(outside::is_hidden);
    assert!(forged.as_ref().ok().is_none_or(one_line), "{forged:?}");
}
