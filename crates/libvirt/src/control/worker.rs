//! The one thread that uses a connection, and the queue before it.
//!
//! A call into libvirt cannot be given up. So its caller is: it stops waiting, the thread
//! stays behind in the call, and everyone else is refused until it comes back.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::LibvirtError;
use crate::event::VmEvent;
use crate::ffi::{Connection, Received};

use super::watchers::Watchers;

/// Before the second attempt to reach a daemon that went away; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Between two attempts at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What the thread finds in its queue.
enum Order {
    /// Something to ask.
    Job(Job),
    /// The connection reported that it ended.
    Closed(&'static str),
    /// No caller needs the thread any more.
    End,
}

/// Something to ask.
struct Job {
    number: u64,
    ask: Ask,
}

/// Asks on a connection, or gives the caller the reason why there is none.
type Ask = Box<dyn FnMut(Result<&Connection, LibvirtError>) -> Asked + Send>;

/// What became of a job.
#[derive(PartialEq)]
enum Asked {
    /// Its caller has the answer.
    Done,
    /// The connection died under it; it is to be asked on the next one.
    Again,
}

/// How the thread is getting on.
#[derive(Default)]
struct Progress {
    /// Number of the last job.
    last: u64,
    /// Those whose callers have gone before their turn came.
    given_up: Vec<u64>,
    /// What is done now.
    now: Now,
    /// How long a caller waited in vain for what is done now.
    stuck: Option<Duration>,
}

#[derive(Default, PartialEq)]
enum Now {
    /// Nothing.
    #[default]
    Idle,
    /// A job.
    Job(u64),
    /// Reaching the daemon again, for those who watch.
    Reconnecting,
}

/// A connection with its thread, which is started by the first call.
pub struct Worker {
    uri: String,
    progress: Arc<Mutex<Progress>>,
    watchers: Option<Watchers>,
    queue: Mutex<Option<Sender<Order>>>,
}

impl Worker {
    /// For the daemon at `uri`; `watchers` are notified of its events.
    pub fn new(uri: &str, watchers: Option<Watchers>) -> Self {
        Worker {
            uri: uri.to_owned(),
            progress: Arc::default(),
            watchers,
            queue: Mutex::new(None),
        }
    }

    /// Asks on the connection, and waits for the answer for no longer than `within`. When
    /// the connection dies meanwhile, it is asked once more on another.
    pub fn call<T: Send + 'static>(
        &self,
        within: Duration,
        ask: impl FnMut(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<T, LibvirtError> {
        self.begin(ask)?.wait(within)
    }

    /// The same, not waited for yet.
    pub fn begin<T: Send + 'static>(
        &self,
        mut ask: impl FnMut(&Connection) -> Result<T, LibvirtError> + Send + 'static,
    ) -> Result<Pending<T>, LibvirtError> {
        let number = {
            let mut progress = lock(&self.progress);
            if let Some(after) = progress.stuck {
                return Err(LibvirtError::TimedOut { after });
            }
            progress.last += 1;
            progress.last
        };
        let (sender, answer) = sync_channel(1);
        let mut first = true;
        let ask = move |connection: Result<&Connection, LibvirtError>| {
            let answer = match connection {
                Ok(connection) => {
                    let answer = ask(connection);
                    if first && answer.is_err() && !connection.is_alive() {
                        first = false;
                        return Asked::Again;
                    }
                    answer
                }
                Err(error) => Err(error),
            };
            // The caller may have stopped waiting: then no caller wants the answer.
            drop(sender.send(answer));
            Asked::Done
        };
        let ask = Box::new(ask);
        self.send(Order::Job(Job { number, ask }))?;
        Ok(Pending {
            number,
            answer,
            progress: Arc::clone(&self.progress),
        })
    }

    fn send(&self, order: Order) -> Result<(), LibvirtError> {
        let mut queue = lock(&self.queue);
        let order = match queue.as_ref() {
            None => order,
            Some(queue) => match queue.send(order) {
                Ok(()) => return Ok(()),
                // The thread has ended, which it does in a panic only.
                Err(unsent) => unsent.0,
            },
        };
        let (sender, orders) = channel();
        let thread = Thread {
            uri: self.uri.clone(),
            progress: Arc::clone(&self.progress),
            watchers: self.watchers.clone(),
            closed: sender.clone(),
            orders,
        };
        thread::Builder::new()
            .name("libvirt".to_owned())
            .spawn(move || thread.run())
            .map_err(|error| LibvirtError::NoThread {
                words: error.to_string(),
            })?;
        // No other caller has its end of the channel, and it has not begun to listen.
        drop(sender.send(order));
        *queue = Some(sender);
        Ok(())
    }
}

/// What was asked, and is not answered yet.
pub struct Pending<T> {
    number: u64,
    answer: Receiver<Result<T, LibvirtError>>,
    progress: Arc<Mutex<Progress>>,
}

impl<T> Pending<T> {
    /// Waits for the answer for no longer than `within`.
    pub fn wait(self, within: Duration) -> Result<T, LibvirtError> {
        match self.answer.recv_timeout(within) {
            Ok(answer) => answer,
            Err(RecvTimeoutError::Timeout) => {
                lock(&self.progress).give_up(self.number, within);
                Err(LibvirtError::TimedOut { after: within })
            }
            Err(RecvTimeoutError::Disconnected) => Err(LibvirtError::Failed {
                doing: "be asked",
                words: "the asking thread ended early; this is a defect of accelnet".to_owned(),
            }),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(queue) = lock(&self.queue).take() {
            drop(queue.send(Order::End));
        }
    }
}

impl Progress {
    /// The caller of job `number` has gone after it waited for `after`.
    fn give_up(&mut self, number: u64, after: Duration) {
        match self.now {
            Now::Job(now) if now == number => self.stuck = Some(after),
            Now::Reconnecting => {
                self.stuck = Some(after);
                self.given_up.push(number);
            }
            _ => self.given_up.push(number),
        }
    }

    /// Whether job `number` is to be begun.
    fn begin(&mut self, number: u64) -> bool {
        let before = self.given_up.len();
        self.given_up.retain(|gone| *gone != number);
        let wanted = self.given_up.len() == before;
        if wanted {
            self.now = Now::Job(number);
        }
        wanted
    }

    fn end(&mut self) {
        self.now = Now::Idle;
        self.stuck = None;
    }
}

/// What the thread has.
struct Thread {
    uri: String,
    progress: Arc<Mutex<Progress>>,
    watchers: Option<Watchers>,
    /// The queue's other end, for a connection to report its end.
    closed: Sender<Order>,
    orders: Receiver<Order>,
}

/// Why a connection is not used any longer.
enum Left {
    /// It died; the job has to be done on another.
    Dead(&'static str, Option<Job>),
    /// No caller needs the thread.
    Ended,
}

impl Thread {
    fn run(self) {
        let mut waiting = None;
        // Whether those who watch know that the connection is lost.
        let mut lost = false;
        let mut pause = FIRST_PAUSE;
        loop {
            let job = match waiting.take() {
                Some(job) => Some(job),
                None => match self.next(lost, pause) {
                    Some(Order::Job(job)) if lock(&self.progress).begin(job.number) => Some(job),
                    Some(Order::Job(_) | Order::Closed(_)) => continue,
                    Some(Order::End) => return,
                    None => {
                        lock(&self.progress).now = Now::Reconnecting;
                        None
                    }
                },
            };
            match Connection::open(&self.uri) {
                Ok(connection) => {
                    pause = FIRST_PAUSE;
                    match self.serve(&connection, job, &mut lost) {
                        Left::Ended => return,
                        Left::Dead(reason, job) => {
                            let reason = reason.to_owned();
                            self.notify(&VmEvent::ConnectionLost { reason });
                            lost = true;
                            waiting = job;
                        }
                    }
                }
                Err(error) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    if let Some(mut job) = job {
                        (job.ask)(Err(error));
                    }
                    lock(&self.progress).end();
                }
            }
        }
    }

    /// The next order; none when the daemon is to be reached without one.
    fn next(&self, lost: bool, pause: Duration) -> Option<Order> {
        let watched = self.watchers.as_ref().is_some_and(|all| !all.is_empty());
        match lost && watched {
            true => self.orders.recv_timeout(pause).ok(),
            // This thread has a sender itself.
            false => self.orders.recv().ok().or(Some(Order::End)),
        }
    }

    /// Does what is asked on one connection, for as long as it lives. `job` has begun.
    fn serve(&self, connection: &Connection, job: Option<Job>, lost: &mut bool) -> Left {
        let subscribed = self.watchers.clone().map(|watchers| {
            let closed = self.closed.clone();
            connection.subscribe(Arc::new(move |received| match received {
                Received::Event(event) => watchers.notify(&event),
                Received::Closed(reason) => drop(closed.send(Order::Closed(reason))),
            }))
        });
        let _events = match subscribed.transpose() {
            Ok(events) => events,
            Err(failure) => {
                if let Some(mut job) = job {
                    (job.ask)(Err(failure.doing("report events")));
                }
                lock(&self.progress).end();
                return Left::Dead("events cannot be had", None);
            }
        };
        if std::mem::take(lost) {
            self.notify(&VmEvent::Reconnected);
        }
        let mut begun = job;
        if begun.is_none() {
            lock(&self.progress).end();
        }
        loop {
            let mut job = match begun.take() {
                // Nothing is changed for a caller that got an error already.
                Some(_) if self.is_abandoned() => {
                    lock(&self.progress).end();
                    continue;
                }
                Some(job) => job,
                None => match self.orders.recv() {
                    Ok(Order::Job(job)) => {
                        if !lock(&self.progress).begin(job.number) {
                            continue;
                        }
                        if !connection.is_alive() {
                            return Left::Dead("the daemon closed the connection", Some(job));
                        }
                        job
                    }
                    // One from an earlier connection does not describe this one.
                    Ok(Order::Closed(_)) if connection.is_alive() => continue,
                    Ok(Order::Closed(reason)) => return Left::Dead(reason, None),
                    Ok(Order::End) | Err(_) => return Left::Ended,
                },
            };
            match (job.ask)(Ok(connection)) {
                Asked::Done => lock(&self.progress).end(),
                Asked::Again => {
                    return Left::Dead("the daemon closed the connection", Some(job));
                }
            }
        }
    }

    /// Whether the caller of what is done now has gone.
    fn is_abandoned(&self) -> bool {
        lock(&self.progress).stuck.is_some()
    }

    fn notify(&self, event: &VmEvent) {
        if let Some(watchers) = &self.watchers {
            watchers.notify(event);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
