use accelnet_store::Entry;

use super::*;

fn identity(epoch: u64) -> Identity {
    Identity {
        id: "0a1b2c3d-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        epoch,
    }
}

fn range(revision: u64, value: Option<&str>) -> Range {
    let entries = value.into_iter().map(|value| Entry {
        key: IDENTITY.to_owned(),
        value: value.as_bytes().to_vec(),
        create_revision: 1,
        mod_revision: 1,
        version: 1,
        lease: None,
    });
    Range {
        entries: entries.collect(),
        revision,
    }
}

fn text(identity: &Identity) -> String {
    format!(
        r#"{{"format":1,"value":{{"id":"{}","epoch":{}}}}}"#,
        identity.id, identity.epoch
    )
}

#[test]
fn what_counts_and_what_does_not() {
    let known = identity(3);
    let same = text(&known);
    let of =
        |known, seen, revision, value: Option<&str>| judge(known, seen, &range(revision, value));
    assert_eq!(of(None, 0, 9, None), Verdict::Unidentified);
    assert_eq!(of(None, 0, 9, Some(&same)), Verdict::Accepted(identity(3)));
    assert_eq!(of(Some(&known), 9, 9, Some(&same)), Verdict::Same);
    let newer = text(&identity(4));
    assert_eq!(
        of(Some(&known), 9, 2, Some(&newer)),
        Verdict::Accepted(identity(4))
    );
    let foreign = |verdict: Verdict, word: &str| match verdict {
        Verdict::Foreign(why) => assert!(why.contains(word), "{why}"),
        other => panic!("{other:?}"),
    };
    foreign(of(Some(&known), 9, 10, None), "emptied");
    foreign(of(Some(&known), 9, 8, Some(&same)), "revision 8");
    foreign(
        of(Some(&known), 9, 99, Some(&text(&identity(2)))),
        "older state",
    );
    let other = same.replace("0001", "0002");
    foreign(
        of(Some(&known), 9, 99, Some(&other)),
        "of the cluster with the id",
    );
    for garbage in ["", "{}", r#"{"format":1,"value":{"id":"../x","epoch":3}}"#] {
        assert_eq!(of(Some(&known), 9, 9, Some(garbage)), Verdict::Same);
        foreign(of(Some(&known), 9, 8, Some(garbage)), "revision 8");
    }
}

#[test]
fn agents_of_the_old_identity_accept_a_renewed_one() {
    let made = Identity::make().expect("an id");
    assert_ne!(made.id, Identity::make().expect("an id").id);
    let renewed = made.renewed(0);
    assert_eq!((&renewed.id, renewed.epoch), (&made.id, 2));
    assert_eq!(made.renewed(1_700_000_000).epoch, 1_700_000_000);
}
