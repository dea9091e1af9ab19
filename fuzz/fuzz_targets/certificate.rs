//! Whom a certificate is of: the name can be printed, and the role is the one that its subject names.

#![no_main]

use accelnet_api::Role;
use accelnet_api::server::fuzzing::identities;
use libfuzzer_sys::fuzz_target;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{Any, ObjectIdentifier, SetOfVec};
use x509_cert::der::{DecodePem, Encode, Tag};
use x509_cert::name::{RdnSequence, RelativeDistinguishedName};

/// Made by openssl, for an operator.
const SOUND: &str = include_str!("certificate.pem");
const UNIT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.11");
const TAGS: [Tag; 4] = [
    Tag::Utf8String,
    Tag::PrintableString,
    Tag::Ia5String,
    Tag::OctetString,
];

fuzz_target!(|data: &[u8]| {
    printable(data);
    let sound = Certificate::from_pem(SOUND).expect("a certificate");
    printable(&wrecked(sound.to_der().expect("DER"), data));
    printable(&wrecked(SOUND.as_bytes().to_vec(), data));
    of_subject(sound, data);
});

fn printable(bytes: &[u8]) -> Vec<Option<Role>> {
    let read = |identity: Option<(String, Role)>| {
        let (name, role) = identity?;
        assert!(name.chars().count() <= 200, "{name}");
        assert!(!name.chars().any(char::is_control), "{name:?}");
        Some(role)
    };
    identities(bytes).into_iter().map(read).collect()
}

/// The bytes overwritten three at a time: where, and with what.
fn wrecked(mut bytes: Vec<u8>, data: &[u8]) -> Vec<u8> {
    for &[low, high, byte] in data.as_chunks::<3>().0 {
        let place = usize::from(u16::from_le_bytes([low, high])) % bytes.len();
        bytes[place] = byte;
    }
    bytes
}

/// A certificate whose subject has a name for each line of the data: the first byte says of which kind.
fn of_subject(mut certificate: Certificate, data: &[u8]) {
    let mut roles = Vec::new();
    let mut subject = RdnSequence::default();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((kind, text)) = line.split_first() else {
            continue;
        };
        let tag = TAGS[usize::from(kind & 3)];
        let is_unit = kind & 4 == 0;
        let Ok(value) = Any::new(tag, text) else {
            continue;
        };
        let oid = match is_unit {
            true => UNIT,
            false => ObjectIdentifier::new_unwrap("2.5.4.3"),
        };
        let names = SetOfVec::try_from(vec![AttributeTypeAndValue { oid, value }]);
        subject.0.push(RelativeDistinguishedName(names.expect("one")));
        if is_unit && tag != Tag::OctetString {
            let named = |role: &Role| text == format!("accelnet-{role}").as_bytes();
            roles.extend(Role::ALL.into_iter().filter(named));
        }
    }
    roles.dedup();
    let expected = match roles[..] {
        [role] => Some(role),
        _ => None,
    };
    certificate.tbs_certificate.subject = subject;
    if let Ok(der) = certificate.to_der() {
        assert_eq!(printable(&der).pop(), Some(expected), "{certificate:?}");
    }
}
