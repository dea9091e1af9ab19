//! Accepted are certificates of a trusted CA, in their time, for clients, and with a
//! role.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::identity::{self, NoIdentity};

/// What another verifier accepts, as far as it has a role.
#[derive(Debug)]
pub struct WithRole(pub Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for WithRole {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.0.verify_client_cert(end_entity, intermediates, now)?;
        match identity::read(end_entity) {
            Ok(_) => Ok(verified),
            Err(NoIdentity::Unreadable) => Err(CertificateError::BadEncoding.into()),
            Err(NoIdentity::NoRole) => Err(CertificateError::ApplicationVerificationFailure.into()),
            Err(why @ NoIdentity::Unfit(..)) => {
                Err(CertificateError::Other(OtherError(Arc::new(why))).into())
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
