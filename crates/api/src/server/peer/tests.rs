use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\nanna:x:1000:1000::/home/anna:/bin/sh\n";
const GROUP_FILE: &str = "root:x:0:\nusers:x:100:anna\naccelnet:x:990:\n";

fn peer(gid: u32, groups: &[u32]) -> Peer {
    Peer {
        uid: 1000,
        gid,
        groups: Observed::Known(groups.to_vec()),
    }
}

#[test]
fn members_of_the_group_may_change() {
    for (peer, may) in [
        (peer(1000, &[100]), false),
        (peer(1000, &[100, 990]), true),
        (peer(990, &[]), true),
        (peer(1000, &[]), false),
    ] {
        let caller = peer.judge(PASSWD, GROUP_FILE);
        assert_eq!(caller.name, "anna (uid 1000)");
        assert_eq!(caller.role == Role::Administrator, may, "{peer:?}");
    }
}

#[test]
fn without_the_group_only_root_may() {
    let group = "root:x:0:\n";
    assert_eq!(peer(990, &[0]).judge(PASSWD, group).role, Role::Reader);
    let root = Peer {
        uid: 0,
        ..peer(0, &[])
    };
    assert_eq!(root.judge("", "").role, Role::Administrator);
}

#[test]
fn nonsense_in_the_files_adds_no_member() {
    for group in [
        "",
        ":",
        "accelnet",
        "accelnet:x",
        "accelnet:x:",
        "accelnet:x:many:anna",
    ] {
        let caller = peer(0, &[0, 990]).judge(":::", group);
        assert_eq!(caller.role, Role::Reader, "{group:?}");
        assert_eq!(caller.name, "uid 1000");
    }
}

#[test]
fn groups_that_the_kernel_hides_are_no_membership() {
    let peer = Peer {
        groups: Observed::unknown("no such option"),
        ..peer(1000, &[])
    };
    assert_eq!(peer.judge(PASSWD, GROUP_FILE).role, Role::Reader);
}

#[test]
fn the_kernel_lists_our_own_groups() {
    let (one, _other) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let mut ours: Vec<u32> = rustix::process::getgroups()
        .expect("groups")
        .iter()
        .map(|gid| gid.as_raw())
        .collect();
    let mut told = groups::of(&one).expect("groups");
    ours.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, ours);
}

#[test]
fn a_list_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("group");
    let path = file.to_str().expect("a path");
    let list = SystemList::default();
    assert_eq!(&*list.text(path), "", "it is not there");
    for text in [
        "accelnet:x:990:",
        "accelnet:x:990:ann",
        "accelnet:x:990:ann,bob",
    ] {
        fs::write(&file, text).expect("written");
        assert_eq!(&*list.text(path), text);
        assert_eq!(&*list.text(path), text, "kept");
    }
}
