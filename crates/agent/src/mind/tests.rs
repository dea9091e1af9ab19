use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use accelnet_sim::{SimMachine, Tree};
use accelnet_store::{Embedded, History};

use super::*;
use crate::simulated::Simulated;

/// A core of a node without anything.
fn core(folder: &std::path::Path) -> Core {
    let machine = SimMachine::boot(Tree::new(), folder).expect("a node");
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    Core::new(Box::new(Simulated::new(machine)), Arc::new(store), "n1")
}

/// Does all that was asked for.
fn work(outbox: &Outbox, core: &mut Core) {
    while let Ok(message) = outbox.next(Duration::ZERO) {
        if let Message::Do(job) = message {
            job(core);
        }
    }
}

fn polled<T>(answer: impl Future<Output = T>) -> Poll<T> {
    pin!(answer).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn those_who_change_come_before_those_who_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut core = core(folder.path());
    let (inbox, outbox) = inbox();
    let order = Arc::new(AtomicUsize::new(0));
    let ask = |turn| {
        let order = order.clone();
        inbox.ask(turn, move |_| order.fetch_add(1, Ordering::SeqCst))
    };
    let looks: Vec<_> = (0..LOOKS).map(|_| ask(Turn::Then)).collect();
    assert_eq!(polled(ask(Turn::Then)), Poll::Ready(Err(Unanswered::Busy)));
    let change = ask(Turn::First);
    work(&outbox, &mut core);
    assert_eq!(
        polled(change),
        Poll::Ready(Ok(0)),
        "it came last and is first"
    );
    for (at, look) in looks.into_iter().enumerate() {
        assert_eq!(polled(look), Poll::Ready(Ok(at + 1)));
    }
}

#[test]
fn what_nobody_waits_for_is_not_done_and_takes_no_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut core = core(folder.path());
    let (inbox, outbox) = inbox();
    let done = Arc::new(AtomicUsize::new(0));
    for turn in [Turn::First, Turn::Then] {
        for _ in 0..10 * LOOKS {
            let done = done.clone();
            drop(inbox.ask(turn, move |_| done.fetch_add(1, Ordering::SeqCst)));
        }
    }
    let last = inbox.ask(Turn::Then, |_| ());
    work(&outbox, &mut core);
    assert_eq!(polled(last), Poll::Ready(Ok(())));
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

#[test]
fn an_end_is_told_to_those_who_wait() {
    let (inbox, outbox) = inbox();
    let waits = inbox.ask(Turn::First, |_| ());
    drop(outbox);
    assert_eq!(polled(waits), Poll::Ready(Err(Unanswered::Ended)));
    let late = inbox.ask(Turn::First, |_| ());
    assert_eq!(polled(late), Poll::Ready(Err(Unanswered::Ended)));
}
