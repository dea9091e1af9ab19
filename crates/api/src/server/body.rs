//! A request's body: its type, its size, and how long it may take.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, EXPECT};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;

use crate::Role;

/// The longest body that is read, in bytes.
const MOST: usize = 1024 * 1024;
/// The longest of a client that may only read: many of them may come at once.
const MOST_OF_READERS: usize = 256 * 1024;
/// What is read and thrown away of a longer one, in bytes: the client that is still sending when a
/// connection is closed does not get to read the answer.
const DRAINED: usize = 64 * 1024 * 1024;
/// How long it may take to come.
const WITHIN: Duration = Duration::from_secs(30);

/// Why a body is not taken: a fragment, and the HTTP status.
pub type Refused = (String, StatusCode);

/// The longest body that a client may send.
pub fn most(role: Role) -> usize {
    match role {
        Role::Reader => MOST_OF_READERS,
        Role::Operator | Role::Administrator => MOST,
    }
}

/// The whole body of at most `most` bytes, which must be JSON by its own account.
pub async fn json(request: Request<Body>, most: usize) -> Result<Bytes, Refused> {
    is_json(request.headers())?;
    let long = announced(request.headers());
    let waits = request.headers().contains_key(EXPECT);
    match long {
        // Nothing was sent yet, and nothing will be.
        Some(long) if long > most && waits => return Err(too_long(most)),
        _ => {}
    }
    let read = read(
        request.into_body(),
        most,
        long.is_some_and(|long| long > most),
    );
    match tokio::time::timeout(WITHIN, read).await {
        Ok(read) => read,
        Err(_) => Err((
            format!("its body did not come within {} s", WITHIN.as_secs()),
            StatusCode::REQUEST_TIMEOUT,
        )),
    }
}

/// Reads it, or throws it away when it is too long.
async fn read(mut body: Body, most: usize, mut long: bool) -> Result<Bytes, Refused> {
    let mut kept = Vec::new();
    let mut seen = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| {
            let what = format!("its body ends early: {error}");
            (what, StatusCode::BAD_REQUEST)
        })?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        seen += data.len();
        long |= seen > most;
        if !long {
            kept.extend_from_slice(&data);
        } else if seen > DRAINED {
            break;
        } else {
            kept = Vec::new();
        }
    }
    match long {
        true => Err(too_long(most)),
        false => Ok(kept.into()),
    }
}

fn too_long(most: usize) -> Refused {
    let what = format!("its body is longer than {} KiB", most / 1024);
    (what, StatusCode::PAYLOAD_TOO_LARGE)
}

fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn is_json(headers: &HeaderMap) -> Result<(), Refused> {
    let refused = |found: String| {
        let what = format!("its content type is {found} and not application/json");
        Err((what, StatusCode::UNSUPPORTED_MEDIA_TYPE))
    };
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return refused("missing".to_owned());
    };
    let kind = String::from_utf8_lossy(kind.as_bytes());
    let essence = kind.split(';').next().unwrap_or_default().trim();
    match essence.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => refused(essence.to_owned()),
    }
}
