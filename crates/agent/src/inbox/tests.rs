use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use accelnet_sim::{SimMachine, Tree};
use accelnet_store::{Embedded, History};

use super::*;
use crate::simulated::Simulated;

/// An agent of a node without adapters and VMs.
fn agent(folder: &std::path::Path) -> Reconcilers {
    let machine = SimMachine::boot(Tree::new(), folder).expect("a node");
    let store = Embedded::in_memory(History::default(), || Duration::ZERO).expect("a store");
    let node = "n1".parse().expect("a name");
    Reconcilers::new(Box::new(Simulated::new(machine)), Arc::new(store), node)
}

/// Runs all requests that wait.
fn run_all(outbox: &Outbox, agent: &mut Reconcilers) {
    while let Ok(message) = outbox.next(Duration::ZERO) {
        if let Message::Run(job) = message {
            job(agent);
        }
    }
}

fn polled<T>(answer: impl Future<Output = T>) -> Poll<T> {
    pin!(answer).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn changes_come_before_reads() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut agent = agent(folder.path());
    let (inbox, outbox) = inbox();
    let order = Arc::new(AtomicUsize::new(0));
    let request = |priority| {
        let order = order.clone();
        inbox.request(priority, move |_| order.fetch_add(1, Ordering::SeqCst))
    };
    let reads: Vec<_> = (0..READS).map(|_| request(Priority::Read)).collect();
    assert_eq!(
        polled(request(Priority::Read)),
        Poll::Ready(Err(Unanswered::Busy))
    );
    let change = request(Priority::Change);
    run_all(&outbox, &mut agent);
    assert_eq!(
        polled(change),
        Poll::Ready(Ok(0)),
        "it came last and is first"
    );
    for (at, read) in reads.into_iter().enumerate() {
        assert_eq!(polled(read), Poll::Ready(Ok(at + 1)));
    }
}

#[test]
fn a_request_without_a_caller_is_not_run_and_takes_no_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut agent = agent(folder.path());
    let (inbox, outbox) = inbox();
    let done = Arc::new(AtomicUsize::new(0));
    for priority in [Priority::Change, Priority::Read] {
        for _ in 0..10 * READS {
            let done = done.clone();
            drop(inbox.request(priority, move |_| done.fetch_add(1, Ordering::SeqCst)));
        }
    }
    let last = inbox.request(Priority::Read, |_| ());
    run_all(&outbox, &mut agent);
    assert_eq!(polled(last), Poll::Ready(Ok(())));
    assert_eq!(done.load(Ordering::SeqCst), 0);
}

#[test]
fn callers_that_wait_get_an_error_at_the_end() {
    let (inbox, outbox) = inbox();
    let waits = inbox.request(Priority::Change, |_| ());
    drop(outbox);
    assert_eq!(polled(waits), Poll::Ready(Err(Unanswered::Ended)));
    let late = inbox.request(Priority::Change, |_| ());
    assert_eq!(polled(late), Poll::Ready(Err(Unanswered::Ended)));
}
