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
fn a_certificate_says_who_somebody_is() {
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
