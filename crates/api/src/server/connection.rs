//! Connections: how many, how long, and who is behind each, whichever door they came through.

use std::convert::Infallible;
use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_io_timeout::TimeoutStream;

use super::answer::refused;
use super::peer::Callers;
use crate::{Caller, Role};

/// Connections at once through one door of those who may change things, and of those who may
/// look: so that nobody who may look keeps an administrator out.
const CONNECTIONS: usize = 64;
/// How long a request's head, or the next one on the same connection, may take.
const HEAD: Duration = Duration::from_secs(10);
/// How long nothing may be taken off an answer before it is given up.
const STALLED: Duration = Duration::from_secs(10);
/// How long requests that are under way may take when the server stops.
const LAST: Duration = Duration::from_secs(30);
/// What heads are read into, in bytes: no head is longer.
const HEAD_BYTES: usize = 32 * 1024;
/// How long to leave the kernel alone when it has no file descriptor left.
pub const BREATH: Duration = Duration::from_millis(200);

/// The places of one door.
#[derive(Debug, Clone)]
pub struct Places {
    changing: Arc<Semaphore>,
    looking: Arc<Semaphore>,
}

impl Places {
    /// All of them are free.
    pub fn new() -> Self {
        let [changing, looking] = [(); 2].map(|()| Arc::new(Semaphore::new(CONNECTIONS)));
        Places { changing, looking }
    }

    /// A place for `caller`; none when all are taken.
    pub fn take(&self, caller: &Caller) -> Option<OwnedSemaphorePermit> {
        let places = match caller.role {
            Role::Reader => &self.looking,
            Role::Operator | Role::Administrator => &self.changing,
        };
        Arc::clone(places).try_acquire_owned().ok()
    }

    /// Waits until all are free; whoever is not done by then is left.
    pub async fn leave(&self) {
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        for places in [&self.changing, &self.looking] {
            drop(tokio::time::timeout(LAST, places.acquire_many(all)).await);
        }
    }
}

/// Takes connections on the Unix socket until stopped.
pub async fn serve(
    listener: StdListener,
    router: Router,
    callers: Arc<dyn Callers>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = UnixListener::from_std(listener)?;
    let places = Places::new();
    loop {
        let stream = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => {
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        let caller = callers.caller(&stream);
        let place = places.take(&caller);
        tokio::spawn(connection(
            stream,
            router.clone(),
            caller,
            place,
            stop.clone(),
        ));
    }
    drop(listener);
    places.leave().await;
    Ok(())
}

/// Serves one connection; without a place it is told so.
pub async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    router: Router,
    caller: Caller,
    place: Option<OwnedSemaphorePermit>,
    mut stop: watch::Receiver<bool>,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let stream = TokioIo::new(Box::pin(stream));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES);
    if place.is_none() {
        http.keep_alive(false);
        let busy = service_fn(|_: Request<Incoming>| async { Ok::<_, Infallible>(busy()) });
        // A connection that breaks is the other side's affair.
        drop(http.serve_connection(stream, busy).await);
        return;
    }
    let service = TowerToHyperService::new(router.layer(axum::Extension(caller)));
    let mut served = std::pin::pin!(http.serve_connection(stream, service));
    let stopped = tokio::select! {
        // As above.
        _ = served.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
    };
    if stopped {
        served.as_mut().graceful_shutdown();
        drop(served.await);
    }
}

/// Told to whoever comes when all places are taken.
fn busy() -> Response<Body> {
    let found = format!("{CONNECTIONS} connections at once, as many as it takes.");
    let problem = Problem::new(Code::AgentUnreachable, &["this moment"], found)
        .needed("Fewer connections.")
        .resolution("Close the connections that are not needed, then run the same command again.");
    refused(problem, None)
}
