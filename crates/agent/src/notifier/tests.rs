use std::sync::mpsc::channel;

use accelnet_store::Txn;

use super::*;
use crate::broken::{Break, Breaking};

#[test]
fn waiting_requests_survive_a_panic_of_the_notifier() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    let (breaks, until) = channel();
    let breaking = Breaking {
        first: Mutex::new(Some(until)),
        ..Breaking::new()
    };
    let notifier = Notifier::new("events/");
    let mut news = notifier.subscribe(&breaking).unwrap();
    breaks.send(Break::Panic).unwrap();
    // It closes: waiting requests read again.
    assert!(runtime.block_on(news.changed()).is_err());
    let mut news = notifier.subscribe(&breaking).unwrap();
    let _ = breaking.commit(&Txn::new().put("events/1", "")).unwrap();
    assert!(runtime.block_on(news.changed()).is_ok());
}
