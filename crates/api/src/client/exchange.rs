//! One request and its answer over a Unix socket.

use std::io;
use std::path::Path;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;
use tokio::runtime::Builder;

/// What came back.
#[derive(Debug)]
pub struct Answered {
    /// HTTP status.
    pub status: StatusCode,
    /// Body.
    pub body: Bytes,
}

/// Asks, and waits for the whole answer.
///
/// # Errors
///
/// `agent_unreachable`, with what went wrong.
pub fn ask(
    socket: &Path,
    method: &str,
    path: &str,
    body: Option<Vec<u8>>,
    within: Duration,
) -> Result<Answered, Problem> {
    let lost = |error: &dyn std::fmt::Display| unreachable(socket, said(error));
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| lost(&error))?;
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, "accelnet");
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/json");
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    let request = request.body(body).map_err(|error| lost(&error))?;
    runtime.block_on(async {
        let stream = UnixStream::connect(socket)
            .await
            .map_err(|error| refused(socket, &error))?;
        let asked = exchange(stream, request);
        match tokio::time::timeout(within, asked).await {
            Ok(answer) => answer.map_err(|words| unreachable(socket, words)),
            Err(_) => Err(unreachable(
                socket,
                format!("It took the request and did not answer within {} s.", within.as_secs()),
            )
            .resolution(
                "'accelnet log' and 'journalctl -u accelnet' tell what it is at; 'systemctl restart accelnet' begins anew without touching VMs.",
            )),
        }
    })
}

async fn exchange(stream: UnixStream, request: Request<Full<Bytes>>) -> Result<Answered, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| said(&error))?;
    // The connection ends with the runtime; what breaks it is told to the sender.
    let connection = tokio::spawn(connection);
    let asked = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answered { status, body })
    };
    let answer = asked.await.map_err(|error: hyper::Error| said(&error));
    connection.abort();
    answer
}

fn said(error: &dyn std::fmt::Display) -> String {
    format!("The connection broke: {error}.")
}

/// Nobody took the connection, and why.
fn refused(socket: &Path, error: &io::Error) -> Problem {
    let found = match error.kind() {
        io::ErrorKind::NotFound => "There is no such socket.".to_owned(),
        io::ErrorKind::ConnectionRefused => {
            "The socket is there, and nobody listens on it.".to_owned()
        }
        io::ErrorKind::PermissionDenied => "The socket may not be opened by this user.".to_owned(),
        io::ErrorKind::WouldBlock => "Too many wait to be let in.".to_owned(),
        _ => format!("Connecting failed: {error}."),
    };
    unreachable(socket, found)
}

/// The agent does not answer, and what was found.
pub fn unreachable(socket: &Path, found: String) -> Problem {
    let socket = socket.display().to_string();
    Problem::new(Code::AgentUnreachable, &[&socket], found)
}
