use super::*;

fn settings(tls: TlsArgs, node: Option<&str>) -> Settings {
    Settings {
        store: "etcd://db1,db2:2380/racks".parse().expect("an address"),
        tls,
        node: node.map(|node| node.parse().expect("a name")),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let plain = TlsArgs {
        store_ca: None,
        store_cert: None,
        store_key: None,
    };
    let whole = TlsArgs {
        store_ca: Some("/etc/accelnet/ca.pem".into()),
        store_cert: Some("/etc/accelnet/node.pem".into()),
        store_key: Some("/etc/accelnet/my key $1%h.pem".into()),
    };
    for (tls, node) in [(plain, None), (whole, Some("n1"))] {
        let written = settings(tls, node);
        let read = Settings::read(&written.text())
            .expect("read")
            .expect("settings");
        assert_eq!(read.store, written.store);
        assert_eq!(read.tls.words(), written.tls.words());
        assert_eq!(read.node, written.node);
    }
}

#[test]
fn a_file_or_nothing_is_no_cluster() {
    for text in [
        "",
        "# nothing\n",
        "ACCELNET_STORE=--store /var/lib/accelnet/store\n",
        "ACCELNET_STORE=--vf-limits 1:2\n",
    ] {
        assert!(matches!(Settings::read(text), Ok(None)), "{text:?}");
    }
}

#[test]
fn errors_of_other_programs_are_not_taken_for_no_cluster() {
    let text = "ACCELNET_STORE=--store etcd://db1 --node 'n 1'\n";
    assert!(Settings::read(text).is_err());
}
