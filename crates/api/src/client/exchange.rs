//! One request and its answer.

use std::io;
use std::path::Path;
use std::time::Duration;

use accelnet_model::Problem;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, DATE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::time::Instant;

use super::place::{Place, tls};
use super::remote::CONNECT;
use crate::service::NODE_HEADER;

/// How long to wait for a turn to connect, and how often to try.
const TURN: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_millis(5);

/// What came back.
#[derive(Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: StatusCode,
    /// When it was sent by the clock of the server, as HTTP has it.
    pub date: Option<String>,
    /// The node whose agent answered.
    pub node: Option<String>,
    /// Body.
    pub body: Bytes,
}

/// Asks, and waits for the whole answer.
///
/// # Errors
///
/// `agent_unreachable`, or what came of certificates, with what went wrong.
pub fn ask(
    place: &Place,
    method: &str,
    path: &str,
    body: Option<Vec<u8>>,
    within: Duration,
) -> Result<Answered, Problem> {
    let host = match place {
        Place::Socket(_) => "accelnet".to_owned(),
        Place::Remote(remote) => remote.shown(),
    };
    if let Place::Socket(socket) = place {
        // Where there is no agent, nothing more is begun.
        std::fs::metadata(socket).map_err(|error| place.refused(&error))?;
    }
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| place.broke(&error))?;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, host);
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    let request = request.body(body).map_err(|error| place.broke(&error))?;
    let answer = runtime.block_on(async {
        match place {
            Place::Socket(socket) => {
                let stream = connect(socket).await;
                let stream = stream.map_err(|error| place.refused(&error))?;
                in_time(place, within, exchange(stream, request)).await
            }
            Place::Remote(remote) => {
                let stream = remote.connect().await;
                let stream = stream.map_err(|error| place.refused(&error))?;
                let shaken = remote.shake(stream).await;
                let shaken = shaken.map_err(|error| place.broke(&error))?;
                let late = || {
                    let found = format!(
                        "It accepted the connection, and the TLS handshake did not complete within {} s.",
                        CONNECT.as_secs()
                    );
                    place.unreachable(found)
                };
                let stream = shaken.ok_or_else(late)?;
                in_time(place, within, exchange(stream, request)).await
            }
        }
    });
    // A lookup of a name that hangs is left behind.
    runtime.shutdown_background();
    answer
}

/// Connects; where many wait to be accepted, it waits for its turn.
async fn connect(socket: &Path) -> io::Result<UnixStream> {
    let until = Instant::now() + TURN;
    loop {
        match UnixStream::connect(socket).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && Instant::now() < until => {
                tokio::time::sleep(AGAIN).await;
            }
            connected => return connected,
        }
    }
}

async fn in_time(
    place: &Place,
    within: Duration,
    asked: impl Future<Output = Result<Answered, hyper::Error>>,
) -> Result<Answered, Problem> {
    match tokio::time::timeout(within, asked).await {
        Ok(answer) => answer.map_err(|error| place.broke(&error)),
        Err(_) => Err(place
            .unreachable(format!(
                "It accepted the request and did not answer within {} s.",
                within.as_secs()
            ))
            .resolution(
                "Run 'accelnet log' or 'journalctl -u accelnet' for the agent's current work. 'systemctl restart accelnet' restarts the agent; VMs remain unchanged.",
            )),
    }
}

async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answered, hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The connection ends with the runtime.
    let connection = tokio::spawn(connection);
    let asked = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let text = |name: &str| {
            let text = response.headers().get(name)?;
            text.to_str().ok().map(str::to_owned)
        };
        let (date, node) = (text(DATE.as_str()), text(NODE_HEADER));
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answered {
            status,
            date,
            node,
            body,
        })
    };
    let answer: Result<_, hyper::Error> = asked.await;
    drop(sender);
    let Err(error) = answer else {
        connection.abort();
        return answer;
    };
    // One of the two has the cause: what TLS reports, or why the request was canceled.
    match connection.await {
        Ok(Err(broke)) if tls(&error).is_none() && tls(&broke).is_some() => Err(broke),
        Ok(Err(broke)) if error.is_canceled() => Err(broke),
        _ => Err(error),
    }
}
