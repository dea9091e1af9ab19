//! A CA in memory, and certificates of it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::pki_types::CertificateDer;
use x509_cert::der::Decode;

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
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
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

    /// The certificate of a client, with this organizational unit.
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

    /// Writes the list of the certificates that it revoked to `file`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    ///
    /// # Panics
    ///
    /// It cannot be signed.
    pub fn revoke(&self, revoked: &[&Certified], file: &Path) -> io::Result<()> {
        let entry = |one: &&Certified| RevokedCertParams {
            serial_number: one.serial(),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2100, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).expect("a list");
        std::fs::write(file, list.pem().expect("a list as PEM"))
    }

    /// Writes its certificate to `file`.
    ///
    /// # Errors
    ///
    /// The kernel's.
    pub fn write(&self, file: &Path) -> io::Result<()> {
        std::fs::write(file, self.certificate.pem())
    }

    /// A listener on a free port of 127.0.0.1 that accepts whom this CA knows, its files in
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
                client_crl: None,
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
    /// The number that its CA gave it.
    fn serial(&self) -> SerialNumber {
        let read = x509_cert::Certificate::from_der(self.der()).expect("a certificate");
        SerialNumber::from_slice(read.tbs_certificate.serial_number.as_bytes())
    }

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
        if key.exists() {
            std::fs::remove_file(&key)?;
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&key)?;
        file.write_all(self.key.serialize_pem().as_bytes())?;
        Ok((cert, key))
    }
}
