//! Where an etcd is.

use crate::EtcdAddress;

fn read(text: &str) -> Result<EtcdAddress, String> {
    text.parse()
}

#[test]
fn what_is_left_out_is_the_usual() {
    let one = read("etcd://db1").unwrap();
    assert_eq!(one.members(), ["db1:2379"]);
    assert_eq!(one.to_string(), "etcd://db1:2379/accelnet");
    assert_eq!(read("etcd://db1/").unwrap(), one);
}

#[test]
fn several_members_and_a_prefix() {
    let three = read("etcd://10.0.0.1:2379,[fd00::2]:4001,db-3.example/racks/seven/").unwrap();
    assert_eq!(
        three.members(),
        ["10.0.0.1:2379", "[fd00::2]:4001", "db-3.example:2379"]
    );
    assert_eq!(three.prefix(), "/racks/seven/");
    assert_eq!(read(&three.to_string()).unwrap(), three);
}

#[test]
fn an_invalid_address_is_refused_with_the_nearest_valid_one() {
    for (text, found) in [
        ("http://db1", "does not begin with etcd://"),
        ("etcd://", "a host has no name"),
        ("etcd://a,,b", "a host has no name"),
        ("etcd://a:", "'a:' is no host"),
        ("etcd://a:0", "'a:0' is no host"),
        ("etcd://a:99999", "'a:99999' is no host"),
        ("etcd://fd00::2", "'fd00::2' is no host"),
        ("etcd://[fd00:2]", "'[fd00:2]' is no host"),
        ("etcd://user@db1", "'user@db1' is no host"),
        ("etcd://db1/a b", "its prefix has blanks"),
        ("etcd://db1/a\nb", "its prefix has blanks"),
    ] {
        let error = read(text).expect_err(text);
        assert!(error.contains(found), "{text}: {error}");
    }
}
