//! A CA in memory, and certificates of it.

use std::io;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::CertificateDer;

use crate::server::{Files, RemoteOptions};

/// A CA.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Certificate,
}

/// A certificate and its key.
pub struct Certified {
    certificate: Certificate,
    key: KeyPair,
}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    ///
    /// No randomness is to be had.
    pub fn new(name: &str) -> Self {
        let mut params = params(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Authority {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// The certificate of an agent at `names`: host names and IP addresses.
    ///
    /// # Panics
    ///
    /// One of them is neither.
    pub fn server(&self, names: &[&str]) -> Certified {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut server = CertificateParams::new(names).expect("names");
        server.distinguished_name = params("an agent").distinguished_name;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.sign(&server)
    }

    /// The certificate of somebody, with this organizational unit.
    pub fn client(&self, name: &str, unit: Option<&str>) -> Certified {
        self.sign(&client(name, unit))
    }

    /// One that was good until the end of 2021.
    pub fn expired(&self, name: &str, unit: Option<&str>) -> Certified {
        let mut params = client(name, unit);
        params.not_after = date_time_ymd(2022, 1, 1);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certified {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certified { certificate, key }
    }

    /// Writes its certificate to `file`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, self.certificate.pem())
    }

    /// A door on a free port of 127.0.0.1 that lets in whom this CA knows, its files in
    /// `folder`.
    ///
    /// # Errors
    ///
    /// The files cannot be written.
    pub fn door(&self, folder: &Path) -> io::Result<RemoteOptions> {
        let client_ca = folder.join("ca.pem");
        self.write(&client_ca)?;
        let server = self.server(&["localhost", "127.0.0.1"]);
        let (cert, key) = server.write(folder, "agent")?;
        Ok(RemoteOptions {
            listen: ([127, 0, 0, 1], 0).into(),
            files: Files {
                cert,
                key,
                client_ca,
            },
        })
    }
}

fn client(name: &str, unit: Option<&str>) -> CertificateParams {
    let mut params = params(name);
    if let Some(unit) = unit {
        params
            .distinguished_name
            .push(DnType::OrganizationalUnitName, unit);
    }
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Certified {
    /// The certificate.
    pub fn der(&self) -> &CertificateDer<'static> {
        self.certificate.der()
    }

    /// Writes it and its key to `NAME.pem` and `NAME.key` in `folder`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn write(&self, folder: &Path, name: &str) -> io::Result<(PathBuf, PathBuf)> {
        let cert = folder.join(format!("{name}.pem"));
        let key = folder.join(format!("{name}.key"));
        std::fs::write(&cert, self.certificate.pem())?;
        std::fs::write(&key, self.key.serialize_pem())?;
        Ok((cert, key))
    }
}
