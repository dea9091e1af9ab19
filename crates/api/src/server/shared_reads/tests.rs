use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::*;

fn key(name: &str) -> Key {
    Key {
        changes: false,
        operation: Operation::Prereq,
        name: Some(name.to_owned()),
        query: String::new(),
        body: Bytes::new(),
    }
}

/// A read that is counted, and ends when it is asked to.
#[derive(Default)]
struct Counted {
    begun: AtomicUsize,
    under_way: Notify,
    ends: Notify,
}

impl Counted {
    async fn read(self: Arc<Self>) -> Answered {
        let number = self.begun.fetch_add(1, Ordering::SeqCst);
        self.under_way.notify_one();
        self.ends.notified().await;
        Ok(Bytes::from(number.to_string()))
    }
}

fn asked(shared_reads: &SharedReads, counted: &Arc<Counted>) -> tokio::task::JoinHandle<String> {
    let (shared_reads, counted) = (shared_reads.clone(), counted.clone());
    tokio::spawn(async move {
        let read = |()| counted.read();
        let answer = shared_reads
            .share(key("a"), std::future::ready(()), read)
            .await;
        let answer = answer.expect("no fall").expect("an answer");
        String::from_utf8(answer.to_vec()).expect("text")
    })
}

fn on_a_runtime(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(test);
}

async fn all_have_asked() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn who_asks_while_one_is_under_way_shares_the_next_one() {
    on_a_runtime(async {
        let shared_reads = SharedReads::default();
        let counted = Arc::new(Counted::default());
        let first = asked(&shared_reads, &counted);
        counted.under_way.notified().await;
        let others: Vec<_> = (0..50).map(|_| asked(&shared_reads, &counted)).collect();
        all_have_asked().await;
        counted.ends.notify_one();
        assert_eq!(first.await.expect("an answer"), "0");
        counted.under_way.notified().await;
        counted.ends.notify_one();
        for other in others {
            assert_eq!(other.await.expect("an answer"), "1");
        }
        all_have_asked().await;
        assert!(lock(&shared_reads.0).is_empty(), "nothing is kept");
    });
}

#[test]
fn an_abandoned_request_is_not_begun() {
    on_a_runtime(async {
        let shared_reads = SharedReads::default();
        let counted = Arc::new(Counted::default());
        let first = asked(&shared_reads, &counted);
        counted.under_way.notified().await;
        for _ in 0..600 {
            let gone = asked(&shared_reads, &counted);
            tokio::task::yield_now().await;
            gone.abort();
        }
        all_have_asked().await;
        counted.ends.notify_one();
        first.await.expect("an answer");
        all_have_asked().await;
        assert_eq!(counted.begun.load(Ordering::SeqCst), 1);
        assert!(lock(&shared_reads.0).is_empty(), "nothing is kept");
        // And one that is under way ends when its last caller goes.
        let gone = asked(&shared_reads, &counted);
        counted.under_way.notified().await;
        gone.abort();
        all_have_asked().await;
        assert!(lock(&shared_reads.0).is_empty(), "nothing is kept");
    });
}
