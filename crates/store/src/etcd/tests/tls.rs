//! TLS: who may ask, and who is asked.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::testing::EtcdServer;
use crate::{ClientIdentity, Etcd, EtcdTls, Store, StoreError, Txn};

/// An authority with its files in a folder.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A certificate for 127.0.0.1, and its key.
    fn issue(&self, name: &str) -> ClientIdentity {
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let identity = ClientIdentity {
            certificate: self.file(&format!("{name}.pem")),
            key: self.file(&format!("{name}-key.pem")),
        };
        std::fs::write(&identity.certificate, certificate.pem()).unwrap();
        std::fs::write(&identity.key, key.serialize_pem()).unwrap();
        identity
    }

    fn tls(&self, identity: Option<ClientIdentity>) -> EtcdTls {
        EtcdTls {
            authorities: self.file("ca.pem"),
            identity,
        }
    }
}

fn server(authority: &Authority) -> EtcdServer {
    let own = authority.issue("server");
    let text = |path: &Path| path.display().to_string();
    EtcdServer::start_with(&[
        "--cert-file",
        &text(&own.certificate),
        "--key-file",
        &text(&own.key),
        "--client-cert-auth",
        "--trusted-ca-file",
        &text(&authority.file("ca.pem")),
    ])
}

fn ask(server: &EtcdServer, tls: Option<&EtcdTls>) -> Result<(), StoreError> {
    let store = Etcd::open(&server.address("a"), tls)?;
    store.commit(&Txn::new().put("a", "")).map(drop)
}

#[test]
fn only_clients_with_a_certificate_of_the_authority_are_accepted() {
    let authority = Authority::new();
    let server = server(&authority);
    let client = authority.issue("client");
    ask(&server, Some(&authority.tls(Some(client)))).expect("written");
    let stranger = Authority::new();
    let foreign = stranger.issue("client");
    for (tls, who) in [
        (Some(authority.tls(None)), "nobody"),
        (Some(authority.tls(Some(foreign))), "a stranger"),
        (None, "somebody without TLS"),
    ] {
        let error = ask(&server, tls.as_ref()).expect_err(who);
        assert!(matches!(error, StoreError::CutOff { .. }), "{who}: {error}");
    }
}

#[test]
fn an_etcd_of_another_authority_is_not_believed() {
    let (own, other) = (Authority::new(), Authority::new());
    let server = server(&own);
    let identity = other.issue("client");
    let error = ask(&server, Some(&other.tls(Some(identity)))).expect_err("refused");
    assert!(error.to_string().contains("certificate"), "{error}");
}

#[test]
fn files_that_are_no_certificates_are_named() {
    let authority = Authority::new();
    std::fs::write(authority.file("empty.pem"), "").unwrap();
    let client = authority.issue("client");
    let wrong_key = ClientIdentity {
        key: client.certificate.clone(),
        ..client.clone()
    };
    let address = "etcd://127.0.0.1:1".parse().unwrap();
    for (tls, found) in [
        (
            EtcdTls {
                authorities: authority.file("missing.pem"),
                identity: None,
            },
            "missing.pem",
        ),
        (
            EtcdTls {
                authorities: authority.file("empty.pem"),
                identity: None,
            },
            "it has no CERTIFICATE",
        ),
        (authority.tls(Some(wrong_key)), "it has no PRIVATE KEY"),
    ] {
        let error = Etcd::open(&address, Some(&tls)).err().expect(found);
        assert!(error.to_string().contains(found), "{error}");
    }
}
