//! HTTP by hand, for tests: what no client of good manners sends.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

/// A request.
#[derive(Debug, Clone)]
pub struct Asked {
    head: String,
    body: Vec<u8>,
}

impl Asked {
    /// One without a body.
    pub fn new(method: &str, path: &str) -> Self {
        Asked {
            head: format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"),
            body: Vec::new(),
        }
    }

    /// With another header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("{name}: {value}\r\n"));
        self
    }

    /// With a body, and its length.
    pub fn body(self, body: &[u8]) -> Self {
        let mut asked = self.header("Content-Length", &body.len().to_string());
        asked.body = body.to_vec();
        asked
    }

    /// With a body in chunks of 64 KiB.
    pub fn chunked(self, body: &[u8]) -> Self {
        let mut asked = self.header("Transfer-Encoding", "chunked");
        for chunk in body.chunks(64 * 1024) {
            asked.body.extend(format!("{:x}\r\n", chunk.len()).bytes());
            asked.body.extend(chunk);
            asked.body.extend(b"\r\n");
        }
        asked.body.extend(b"0\r\n\r\n");
        asked
    }

    /// With a body of JSON.
    pub fn json(self, body: &Value) -> Self {
        self.text(&body.to_string())
    }

    /// With a body of type JSON.
    pub fn text(self, body: &str) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.as_bytes())
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status; 0 when the connection was closed without an answer.
    pub status: u16,
    head: String,
    body: String,
}

impl Answer {
    /// Its body.
    pub fn text(&self) -> &str {
        &self.body
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// One of its headers.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (there, value) = line.split_once(':')?;
            there.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Asks, and reads until the connection is closed.
pub fn ask(socket: &Path, asked: &Asked) -> Answer {
    let mut bytes = format!("{}\r\n", asked.head).into_bytes();
    bytes.extend(&asked.body);
    send(socket, &bytes)
}

/// Sends any bytes, and reads until the connection is closed.
pub fn send(socket: &Path, bytes: &[u8]) -> Answer {
    let mut stream = UnixStream::connect(socket).expect("connected");
    // A client that answers early stops to read.
    drop(stream.write_all(bytes));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    read(&String::from_utf8_lossy(&answer))
}

fn read(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let whole = match head.to_lowercase().contains("transfer-encoding: chunked") {
        true => body.split("\r\n").skip(1).step_by(2).collect(),
        false => body.to_owned(),
    };
    Answer {
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: whole,
    }
}
