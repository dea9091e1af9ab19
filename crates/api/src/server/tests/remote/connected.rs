//! Connections that stay open.

use super::*;

/// A client that speaks TLS by hand, and keeps the connection.
struct Connected(StreamOwned<ClientConnection, TcpStream>);

impl Connected {
    fn new(far: &Far, certified: &Certified) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (cert, key) = certified.write(folder.path(), "own").expect("files");
        let mut trusted = RootCertStore::empty();
        let pem = crate::pem::certificates(&far.options.files.client_ca).expect("a CA");
        trusted.add(pem[0].clone()).expect("a CA");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(trusted)
            .with_client_auth_cert(
                crate::pem::certificates(&cert).expect("a certificate"),
                crate::pem::key(&key).expect("a key"),
            );
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config.expect("a client")), name);
        let stream = TcpStream::connect(far.address()).expect("connected");
        Connected(StreamOwned::new(session.expect("a session"), stream))
    }

    fn send(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        // A client that is turned away may be so before it has asked.
        drop(self.0.write_all(request.as_bytes()));
    }

    /// What comes next; nothing where the connection was closed.
    fn read(&mut self) -> String {
        let mut answer = [0; 4096];
        let read = self.0.read(&mut answer).unwrap_or_default();
        String::from_utf8_lossy(&answer[..read]).into_owned()
    }

    fn ask(&mut self, path: &str) -> String {
        self.send(path);
        self.read()
    }
}

#[test]
fn readers_take_no_place_from_others() {
    let far = Far::new();
    let reader = far.ca.client("anna", Some("accelnet-reader"));
    let mut seats: Vec<Connected> = (0..16)
        .map(|_| {
            let mut one = Connected::new(&far, &reader);
            assert!(one.ask("/v1/version").starts_with("HTTP/1.1 200 OK"));
            // It keeps its place for as long as it waits.
            one.send("/v1/events?wait=60");
            one
        })
        .collect();
    let told = Connected::new(&far, &reader).ask("/v1/version");
    assert!(told.starts_with("HTTP/1.1 429"), "{told}");
    assert!(told.contains("retry-after: 1"), "{told}");
    far.of(May::Operator)
        .status()
        .expect("others have their own");
    far.fake
        .happens(EventKind::Noticed, "test", "Nobody has to wait any more.");
    seats.clear();
}

#[test]
fn a_revoked_certificate_is_let_in_no_more_and_an_open_connection_ends() {
    let mut far = Far::new();
    let list = far.folder.path().join("crl.pem");
    let (anna, bert) = (
        far.ca.client("anna", Some("accelnet-administrator")),
        far.ca.client("bert", Some("accelnet-administrator")),
    );
    far.ca.revoke(&[], &list).expect("a list");
    let second = tempfile::tempdir().expect("a folder");
    far.options.files.client_crl = Some(list.clone());
    let service: Arc<dyn Service> = far.fake.clone();
    far.serving = Serving::start_far(second.path(), service, &far.options).expect("two doors");
    let mut open = Connected::new(&far, &anna);
    let mut kept = Connected::new(&far, &bert);
    assert!(open.ask("/v1/version").starts_with("HTTP/1.1 200"));
    assert!(kept.ask("/v1/version").starts_with("HTTP/1.1 200"));
    far.ca.revoke(&[&anna], &list).expect("a list");
    // The files are read with each request: this one is not made.
    let refused = open.ask("/v1/version");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert!(refused.contains("certificate was revoked"), "{refused}");
    assert_eq!(open.read(), "", "it is closed");
    assert_eq!(
        far.why_refused(&anna),
        (Code::CertificateRefused, "It was revoked.".to_owned())
    );
    far.with(&bert).status().expect("others come in");
    // A connection from before ends in either case; the client that is accepted comes again.
    let last = kept.ask("/v1/version");
    assert!(
        last.is_empty() || last.starts_with("HTTP/1.1 200"),
        "{last}"
    );
    assert_eq!(kept.read(), "", "it is closed");
}

#[test]
fn connections_from_before_a_new_ca_end() {
    let far = Far::new();
    let before = far.ca.client("anna", Some("accelnet-administrator"));
    let mut open = Connected::new(&far, &before);
    let mut waits = Connected::new(&far, &before);
    assert!(open.ask("/v1/version").starts_with("HTTP/1.1 200"));
    assert!(waits.ask("/v1/version").starts_with("HTTP/1.1 200"));
    waits.send("/v1/events?wait=60");
    while far.fake.waiting() == 0 {
        std::thread::yield_now();
    }
    let next = Authority::new("the next CA");
    next.door(far.folder.path()).expect("files");
    let after = next.client("anna", Some("accelnet-reader"));
    far.with(&after).status().expect("it is trusted now");
    // What waits is answered, and the connection closed, long before it would have been.
    let answered = waits.read();
    assert!(answered.starts_with("HTTP/1.1 200"), "{answered}");
    assert_eq!(waits.read(), "", "it is closed");
    let refused = open.ask("/v1/version");
    assert!(
        refused.is_empty() || refused.starts_with("HTTP/1.1 403"),
        "{refused}"
    );
    assert_eq!(open.read(), "", "it is closed");
    assert_eq!(far.why_refused(&before).0, Code::CertificateRefused);
}
