//! Same reads are made once: the client that asks for what others wait for already shares their answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use tokio::sync::{Semaphore, watch};
use tracing::Instrument;

use super::operate::Failed;
use crate::routes::Operation;

/// What a read answers.
pub type Answered = Result<Bytes, Failed>;

/// What makes two reads the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whether they are of a client that may change things: these do not wait for others' reads.
    pub changes: bool,
    /// What is asked.
    pub operation: Operation,
    /// The name in the path.
    pub name: Option<String>,
    /// The query.
    pub query: String,
    /// The body.
    pub body: Bytes,
}

/// The reads that a client waits for.
#[derive(Debug, Clone, Default)]
pub struct SharedReads(Arc<Mutex<HashMap<Key, Arc<Turns>>>>);

/// Reads with the same key: one at a time, and one that has not begun.
#[derive(Debug)]
struct Turns {
    turn: Semaphore,
    next: Mutex<Option<Waiting>>,
}

/// Those who wait for a read that has not begun.
type Waiting = Arc<watch::Sender<Option<Answered>>>;

impl SharedReads {
    /// The answer of a read that begins after this call. `place` is waited for before it begins, `read`
    /// makes it; neither goes on when no client waits any more. None if it panicked.
    pub async fn share<P, L, O>(
        &self,
        key: Key,
        place: impl Future<Output = P> + Send + 'static,
        read: L,
    ) -> Option<Answered>
    where
        P: Send + 'static,
        L: FnOnce(P) -> O + Send + 'static,
        O: Future<Output = Answered> + Send + 'static,
    {
        let turns = self.turns(&key);
        let mut answer = {
            let mut next = lock(&turns.next);
            match &*next {
                Some(waiting) => waiting.subscribe(),
                None => {
                    let waiting = Arc::new(watch::Sender::new(None));
                    let answer = waiting.subscribe();
                    *next = Some(waiting.clone());
                    let shared_reads = self.clone();
                    let turns = turns.clone();
                    let made = async move {
                        run(&turns, &waiting, place, read).await;
                        shared_reads.forget(&key, turns);
                    };
                    tokio::spawn(made.in_current_span());
                    answer
                }
            }
        };
        drop(turns);
        let answer = answer.wait_for(Option::is_some).await.ok()?;
        answer.clone()
    }

    fn turns(&self, key: &Key) -> Arc<Turns> {
        let mut all = lock(&self.0);
        let new = || {
            Arc::new(Turns {
                turn: Semaphore::new(1),
                next: Mutex::default(),
            })
        };
        all.entry(key.clone()).or_insert_with(new).clone()
    }

    /// Forgets reads that no client waits for.
    fn forget(&self, key: &Key, turns: Arc<Turns>) {
        let mut all = lock(&self.0);
        drop(turns);
        if all
            .get(key)
            .is_some_and(|turns| Arc::strong_count(turns) == 1)
        {
            all.remove(key);
        }
    }
}

async fn run<P, O: Future<Output = Answered>>(
    turns: &Turns,
    waiting: &Waiting,
    place: impl Future<Output = P>,
    read: impl FnOnce(P) -> O,
) {
    let begins = async {
        let turn = turns.turn.acquire().await;
        (turn, place.await)
    };
    let mut begins = std::pin::pin!(begins);
    let (_turn, place) = loop {
        tokio::select! {
            begun = begins.as_mut() => break begun,
            () = waiting.closed() => {}
        }
        // No client can come to wait while this is locked.
        let mut next = lock(&turns.next);
        if waiting.receiver_count() == 0 {
            *next = None;
            return;
        }
    };
    // A client that comes from now on asks for what is after this moment, and waits for the next one.
    *lock(&turns.next) = None;
    tokio::select! {
        answer = read(place) => {
            waiting.send_replace(Some(answer));
        }
        () = waiting.closed() => {}
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
