use clap::Parser;

use super::*;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    store: StoreArgs,
}

fn read(line: &str) -> Result<StoreArgs, String> {
    let words = std::iter::once("x").chain(line.split_whitespace());
    let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
    Ok(line.store)
}

#[test]
fn a_path_is_a_file_and_etcd_an_etcd() {
    let file = read("").expect("a line").choice().expect("a choice");
    assert!(matches!(&file, StoreChoice::File(path) if path.ends_with("accelnet/store")));
    let etcd = read("--store etcd://db1,db2:4001 --store-ca ca.pem").expect("a line");
    let StoreChoice::Etcd { address, tls, .. } = etcd.choice().expect("a choice") else {
        panic!("it is an etcd");
    };
    assert_eq!(address.members(), ["db1:2379", "db2:4001"]);
    let tls = tls.expect("TLS");
    assert_eq!(
        (tls.authorities, tls.identity),
        (PathBuf::from("ca.pem"), None)
    );
}

#[test]
fn what_does_not_go_together_is_refused() {
    for (line, found) in [
        ("--store etcd://", "a host has no name"),
        ("--store file:/tmp/store", "give the path of a file"),
        ("--store db1:2379", "or etcd://HOST:PORT"),
        (
            "--store etcd://db1 --store-cert a.pem --store-key b.pem",
            "--store-ca",
        ),
        (
            "--store etcd://db1 --store-ca a.pem --store-cert b.pem",
            "--store-key",
        ),
        (
            "--store etcd://db1 --store-ca a.pem --store-key b.pem",
            "--store-cert",
        ),
    ] {
        let error = read(line).expect_err(line);
        assert!(error.contains(found), "{line}: {error}");
    }
    let file = read("--store /tmp/store --store-ca a.pem").expect("a line");
    let problem = file.choice().expect_err("certificates for a file");
    assert_eq!(problem.code, Code::BadRequest);
}
