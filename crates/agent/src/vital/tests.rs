use std::sync::mpsc::{Receiver, channel};

use super::*;

/// An end, and what receives it.
pub(crate) fn end() -> (End, Receiver<()>) {
    let (sender, ended) = channel();
    let end: End = Arc::new(move || {
        let _ = sender.send(());
    });
    (end, ended)
}

#[test]
fn a_panic_in_a_vital_thread_ends_the_agent() {
    let (end, ended) = end();
    let vital = Vital::new(&end);
    let thread = thread::spawn(move || {
        let _vital = vital;
        panic!("a defect");
    });
    assert!(thread.join().is_err());
    assert!(ended.try_recv().is_ok());
}

#[test]
fn a_thread_that_ends_without_a_panic_does_not() {
    let (end, ended) = end();
    let vital = Vital::new(&end);
    thread::spawn(move || drop(vital)).join().unwrap();
    assert!(ended.try_recv().is_err());
}

#[test]
fn a_panic_of_a_listener_ends_the_agent() {
    let (end, ended) = end();
    let on = listener(&end, |fatal: bool| assert!(!fatal, "a defect"));
    let thread = thread::spawn(move || {
        on(false);
        on(true);
    });
    assert!(thread.join().is_err());
    assert!(ended.try_recv().is_ok());
}
