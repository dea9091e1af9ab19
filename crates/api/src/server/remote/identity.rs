//! The identity in a certificate.

use accelnet_model::outside;
use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::oid::db::rfc4519::ORGANIZATIONAL_UNIT_NAME;
use x509_cert::der::{Decode, Tag, Tagged};

use crate::Role;
use crate::server::refusals::LONGEST_NAME;

/// Who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Subject (RFC 4514).
    pub subject: String,
    /// Role.
    pub role: Role,
    /// SHA-256 of the whole certificate, in hexadecimal.
    pub fingerprint: String,
}

/// Why a certificate has no identity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoIdentity {
    /// It cannot be read.
    #[error("it cannot be read")]
    Unreadable,
    /// It names no role, or several.
    #[error("it names no role, or several")]
    NoRole,
    /// Its subject cannot be distinguished from others.
    #[error("its subject '{0}' {1}")]
    Unfit(String, &'static str),
}

/// Who a client is, in full and to be seen: two certificates are never taken for one.
fn subject(text: &str) -> Result<String, NoIdentity> {
    let why = match text {
        text if text.chars().count() > LONGEST_NAME => "is longer than 200 characters",
        text if text.chars().any(outside::is_hidden) => "has characters that cannot be seen",
        text => return Ok(text.to_owned()),
    };
    Err(NoIdentity::Unfit(outside::short(text, LONGEST_NAME), why))
}

/// Reads a certificate. The role is the organizational unit `accelnet-ROLE` of its subject;
/// other units mean nothing.
pub fn read(certificate: &CertificateDer<'_>) -> Result<Identity, NoIdentity> {
    let read = Certificate::from_der(certificate).map_err(|_| NoIdentity::Unreadable)?;
    let subject = read.tbs_certificate.subject;
    let units = subject.0.iter().flat_map(|part| part.0.iter());
    let units = units
        .filter(|part| part.oid == ORGANIZATIONAL_UNIT_NAME)
        .filter_map(text);
    Ok(Identity {
        role: role(units).ok_or(NoIdentity::NoRole)?,
        subject: self::subject(&subject.to_string())?,
        fingerprint: hexadecimal(digest(&SHA256, certificate).as_ref()),
    })
}

/// The one role that is named.
fn role<'a>(units: impl Iterator<Item = &'a str>) -> Option<Role> {
    let named = |unit: &str| {
        let name = unit.strip_prefix("accelnet-")?;
        Role::ALL.into_iter().find(|role| role.name() == name)
    };
    let mut roles = units.filter_map(named);
    let one = roles.next()?;
    roles.all(|other| other == one).then_some(one)
}

fn text(part: &AttributeTypeAndValue) -> Option<&str> {
    match part.value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String => {
            std::str::from_utf8(part.value.value()).ok()
        }
        _ => None,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
