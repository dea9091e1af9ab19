//! One call of etcd: which member is asked, how long, and when another is tried.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use etcd_client::{Client, ConnectOptions};
use tokio::time::{Instant, sleep, timeout_at};

use super::address::EtcdAddress;
use super::fault::{self, Fault};
use super::tls::EtcdTls;
use crate::StoreError;

/// How long a call may take, whatever happens.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long it may take while the last one failed: the caller that is cut off does not wait each time.
const DEADLINE_CUT_OFF: Duration = Duration::from_secs(2);
/// How long one member of several is waited for.
const ATTEMPT: Duration = Duration::from_secs(2);
/// How long to wait before the next attempt.
const PAUSE: Duration = Duration::from_millis(100);
/// A silent peer is asked this often, and given this long.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(5));
const CONNECT: Duration = Duration::from_secs(2);

/// When a call may be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Always: doing it twice does no harm.
    Always,
    /// When it is sure that etcd did not do it.
    NotSent,
}

/// The members of an etcd, each with its connection.
pub(super) struct Endpoints {
    address: EtcdAddress,
    clients: Vec<Client>,
    /// Who is asked first.
    current: AtomicUsize,
    /// Whether the last call had no answer.
    cut_off: AtomicBool,
}

impl Endpoints {
    /// Makes ready to connect, with the first call.
    pub(super) async fn open(
        address: EtcdAddress,
        tls: Option<EtcdTls>,
    ) -> Result<Self, StoreError> {
        let (interval, timeout) = KEEPALIVE;
        let mut options = ConnectOptions::new()
            .with_keep_alive(interval, timeout)
            .with_keep_alive_while_idle(true)
            .with_connect_timeout(CONNECT)
            .with_require_leader(true);
        let scheme = match &tls {
            Some(tls) => {
                options = options.with_tls(tls.read()?);
                "https"
            }
            None => "http",
        };
        let mut clients = Vec::new();
        for member in address.members() {
            let url = format!("{scheme}://{member}");
            let client = Client::connect([url], Some(options.clone())).await;
            clients.push(client.map_err(|error| StoreError::EtcdSettings {
                found: format!("{member}: {}", fault::words(&error)),
            })?);
        }
        Ok(Self {
            address,
            clients,
            current: AtomicUsize::new(0),
            cut_off: AtomicBool::new(false),
        })
    }

    /// The member to ask now, with its number.
    pub(super) fn current(&self) -> (usize, Client) {
        let at = self.current.load(Ordering::Relaxed) % self.clients.len();
        (at, self.clients[at].clone())
    }

    /// Asks another from now on, unless another call did that already.
    pub(super) fn leave(&self, at: usize) {
        let next = (at + 1) % self.clients.len();
        // The loser of this race finds that its work is done.
        let _ = self
            .current
            .compare_exchange(at, next, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Has `call` done by a member that can.
    pub(super) async fn ask<T, F>(
        &self,
        repeat: Repeat,
        call: impl Fn(Client) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, etcd_client::Error>>,
    {
        let allowed = match self.cut_off.load(Ordering::Relaxed) {
            true => DEADLINE_CUT_OFF,
            false => DEADLINE,
        };
        let deadline = Instant::now() + allowed;
        loop {
            let (at, client) = self.current();
            let attempt = match self.clients.len() > 1 && repeat == Repeat::Always {
                true => deadline.min(Instant::now() + ATTEMPT),
                false => deadline,
            };
            let fault = match timeout_at(attempt, call(client)).await {
                Ok(Ok(answer)) => {
                    self.cut_off.store(false, Ordering::Relaxed);
                    return Ok(answer);
                }
                Ok(Err(error)) => Fault::of(&error),
                Err(_) => Fault::silent(),
            };
            let (found, sent) = match fault {
                Fault::Refused(refusal) => {
                    self.cut_off.store(false, Ordering::Relaxed);
                    return Err(refusal.of(&self.address));
                }
                Fault::CutOff { found, sent } => (found, sent),
            };
            self.leave(at);
            let again = repeat == Repeat::Always || !sent;
            if !again || Instant::now() + PAUSE >= deadline {
                self.cut_off.store(true, Ordering::Relaxed);
                return Err(StoreError::CutOff {
                    store: self.address.to_string(),
                    found,
                });
            }
            sleep(PAUSE).await;
        }
    }
}

impl fmt::Display for Endpoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.address.fmt(f)
    }
}

/// The longest answer that is taken. What an agent reads at once is far smaller.
pub(super) const MOST_BYTES: usize = 256 * 1024 * 1024;
