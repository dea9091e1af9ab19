//! Why a connection is refused.

use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::Role;

/// Why a handshake failed, a fragment.
pub(super) fn reason(error: &io::Error) -> String {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match tls {
        Some(tls) => reason_of(tls),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it hung up in the middle of its handshake".to_owned()
        }
        None => format!("it broke: {error}"),
    }
}

/// Why a certificate or a handshake is not taken, a fragment.
pub(super) fn reason_of(error: &rustls::Error) -> String {
    use rustls::Error;
    match error {
        Error::NoCertificatesPresented => "it came without a certificate".to_owned(),
        Error::InvalidCertificate(why) => match why {
            // Another CA of the same name signed it.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "its certificate is not from a CA that is trusted here".to_owned()
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "its certificate has expired".to_owned()
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "its certificate is not valid yet".to_owned()
            }
            CertificateError::Revoked => "its certificate was revoked".to_owned(),
            CertificateError::ApplicationVerificationFailure => format!(
                "its certificate does not name one role ({})",
                Role::ALL
                    .map(|role| format!("OU=accelnet-{role}"))
                    .join(", ")
            ),
            CertificateError::Other(why) => format!("its certificate cannot be used: {}", why.0),
            other => format!("its certificate cannot be used: {other}"),
        },
        Error::AlertReceived(
            AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::DecryptError
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired,
        ) => "it does not trust the certificate of this agent".to_owned(),
        other => format!("it does not speak TLS 1.3: {other}"),
    }
}
