use std::sync::mpsc::channel;

use accelnet_store::Txn;

use super::*;
use crate::broken::{Break, Breaking};

#[test]
fn who_waits_is_not_forgotten_by_a_bell_that_falls_over() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let (breaks, until) = channel();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let bell = Bell::new("events/");
    let mut news = bell.hear(&breaking).unwrap();
    breaks.send(Break::Panic).unwrap();
    // It closes: whoever waited looks again.
    assert!(runtime.block_on(news.changed()).is_err());
    let mut news = bell.hear(&breaking).unwrap();
    let _ = breaking.commit(&Txn::new().put("events/1", "")).unwrap();
    assert!(runtime.block_on(news.changed()).is_ok());
}
