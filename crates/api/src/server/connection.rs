//! Connections: how long each lasts, and who is behind it, whichever door it came through.

use std::io;
use std::os::unix::net::UnixListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio_io_timeout::TimeoutStream;

use super::peer::Callers;
use super::places::{Places, Seat};
use super::router::Ending;
use super::surplus::Surplus;
use crate::Caller;

/// How long a request's head, or the next one on the same connection, may take.
const HEAD: Duration = Duration::from_secs(10);
/// How long nothing may be taken off an answer before it is given up.
const STALLED: Duration = Duration::from_secs(10);
/// What heads are read into, in bytes: no head is longer.
const HEAD_BYTES: usize = 32 * 1024;
/// Headers of a request.
const HEADERS: usize = 64;
/// How long to leave the kernel alone when it has no file descriptor left.
pub const BREATH: Duration = Duration::from_millis(200);

/// Turns between accepting connections and running those that were accepted. Each holds memory until its first
/// poll, and the runtime polls 61 tasks between two polls of what accepts.
#[derive(Debug, Default)]
pub struct Turns(u8);

impl Turns {
    /// Connections that are accepted in one turn.
    const LONG: u8 = 16;

    /// Waits before each connection that begins a turn.
    pub async fn next(&mut self) {
        if self.0 == 0 {
            tokio::task::yield_now().await;
        }
        self.0 = (self.0 + 1) % Self::LONG;
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
    let places = Places::default();
    let surplus = Surplus::default();
    let mut turns = Turns::default();
    loop {
        turns.next().await;
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
        let source = callers.source(&stream);
        if places.is_full_for(source) {
            surplus.turn_away(stream);
            continue;
        }
        let caller = callers.caller(&stream);
        match places.take(&caller, source) {
            None => surplus.turn_away(stream),
            Some(seat) => {
                let stop = stop.clone();
                tokio::spawn(connection(stream, router.clone(), caller, seat, stop, None));
            }
        }
    }
    drop(listener);
    places.leave().await;
    Ok(())
}

/// Serves one connection, until it is done, is to stop, or `ends`: then the request that is under way is
/// answered, and what waits on it waits no longer.
pub async fn connection(
    stream: impl AsyncRead + AsyncWrite + Send + 'static,
    router: Router,
    caller: Caller,
    seat: Seat,
    mut stop: watch::Receiver<bool>,
    ends: Option<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>,
) {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(STALLED));
    let stream = TokioIo::new(Box::pin(stream));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(HEADERS)
        .max_buf_size(HEAD_BYTES);
    let (end, ending) = watch::channel(false);
    let router = router
        .layer(axum::Extension(caller))
        .layer(axum::Extension(Ending(ending)));
    let service = TowerToHyperService::new(router);
    let mut served = std::pin::pin!(http.serve_connection(stream, service));
    let ends = async {
        match ends {
            Some(ends) => ends.await,
            None => std::future::pending().await,
        }
    };
    let stopped = tokio::select! {
        // A connection that breaks is the other side's affair.
        _ = served.as_mut() => false,
        _ = stop.wait_for(|stop| *stop) => true,
        () = ends => true,
    };
    if stopped {
        end.send_replace(true);
        served.as_mut().graceful_shutdown();
        drop(served.await);
    }
    drop(seat);
}
