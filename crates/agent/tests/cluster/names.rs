//! One name is one live agent's; a heartbeat that was lost is put back.

use accelnet_model::Code;
use accelnet_store::testing::{EtcdServer, until};
use accelnet_store::{Store, Txn};

use crate::etcd::{Node, PREFIX, pair};

const SIGN: &str = "alive/node1";

#[test]
fn a_lost_sign_of_life_is_put_back() {
    let server = EtcdServer::start();
    let [one, other] = pair(&server);
    let store = server.store(PREFIX);
    for change in [
        Txn::new().delete(SIGN),
        Txn::new().put(SIGN, "garbage"),
        // As an agent of an earlier release would write it, without a lease.
        Txn::new().put(
            SIGN,
            r#"{"format":1,"value":{"since":"2026-01-01T00:00:00Z"}}"#,
        ),
        Txn::new().delete(SIGN).delete("members/node1"),
    ] {
        let _ = store.commit(&change).expect("changed");
        let is_back = || {
            let sign = store.get(SIGN).expect("a store");
            sign.is_some_and(|sign| sign.lease.is_some())
        };
        assert!(until(is_back), "{change:?}");
        assert!(until(|| other.status().nodes_down.is_empty()));
    }
    assert!(store.get("members/node1").expect("a store").is_some());
    one.enables(2).expect("it goes on");
}

#[test]
fn the_second_agent_of_a_name_is_refused_and_named() {
    let server = EtcdServer::start();
    let [one, other] = pair(&server);
    // Another machine that is called the same: its adapter stays as it is.
    let mut second = Node::start(1, &server);
    assert!(until(|| second.is_cut_off()));
    let fault = second.status().faults;
    let fault = fault.iter().find(|fault| fault.code == Code::NodeNameTaken);
    let fault = fault.expect("a fault");
    assert!(fault.message.contains("node1"), "{fault:?}");
    second.machine.define(1);
    let refused = second.enables(1).expect_err("refused");
    assert_eq!(refused.code, Code::NodeNameTaken);
    assert_eq!(second.vfs(), 0);
    assert!(!one.is_cut_off());
    one.enables(2).expect("the first works on");
    // When the second ends, the first one is up as before.
    second.stop_agent();
    assert!(other.status().nodes_down.is_empty());
    one.disables(2).expect("the first works on");
    // When the first one ends, the second takes its place.
    second.start_agent();
    assert!(until(|| second.is_cut_off()));
    drop(one);
    assert!(until(|| !second.is_cut_off()), "{:?}", second.status());
    assert!(until(|| second.vfs() == 2));
}
