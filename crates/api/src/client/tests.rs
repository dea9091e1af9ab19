//! What the client makes of servers that are no agents.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use super::*;

/// A server that answers one request with `answer`.
fn answering(answer: &'static str) -> (tempfile::TempDir, Client) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let mut request = [0; 4096];
        drop(stream.read(&mut request));
        drop(stream.write_all(answer.as_bytes()));
    });
    (folder, Client::new(path))
}

fn found(answer: &'static str) -> String {
    let (_folder, client) = answering(answer);
    let problem = client.status().expect_err("no agent");
    assert_eq!(problem.code, Code::AgentUnreachable);
    problem.found
}

#[test]
fn odd_answers_are_reported() {
    for (answer, words) in [
        ("", "The connection broke: "),
        (
            "nonsense\r\n\r\n",
            "The program that listens there does not speak HTTP: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
            "The connection broke: ",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            "HTTP status 200 OK with an answer that cannot be read: missing field `enabled`",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnginx",
            "HTTP status 404 Not Found with an answer that cannot be read",
        ),
    ] {
        let found = found(answer);
        assert!(found.starts_with(words), "{answer:?}: {found}");
    }
}

#[test]
fn a_server_that_greets_first_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        drop(stream.write_all(b"220 mail.example ESMTP\r\n"));
        // Until the client has hung up.
        drop(stream.read_to_end(&mut Vec::new()));
    });
    let problem = Client::new(path).status().expect_err("no agent");
    let wanted = "The program that listens there does not speak HTTP: ";
    assert!(problem.found.starts_with(wanted), "{problem:?}");
    assert!(problem.resolution.contains("--socket"), "{problem:?}");
}

#[test]
fn a_socket_of_ones_own_is_not_started_by_systemd() {
    let folder = tempfile::tempdir().expect("a folder");
    let problem = Client::new(folder.path().join("agent.sock")).status();
    let problem = problem.expect_err("no agent");
    assert!(
        problem.resolution.contains("accelnet agent --serve"),
        "{problem:?}"
    );
    let installed = Place::Socket(SOCKET.into()).unreachable(String::new());
    assert!(
        installed.resolution.contains("systemctl start accelnet"),
        "{installed:?}"
    );
}

#[test]
fn why_nobody_answers_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("agent.sock");
    let found = || Client::new(&socket).status().expect_err("nobody").found;
    assert_eq!(found(), "The socket does not exist.");
    drop(UnixListener::bind(&socket).expect("a socket"));
    assert_eq!(found(), "The socket exists, but no agent listens on it.");
    std::fs::remove_file(&socket).expect("removed");
    std::fs::write(&socket, "").expect("a file");
    assert!(
        found().ends_with("agent.sock is not a socket."),
        "{}",
        found()
    );
}

#[test]
fn names_are_escaped() {
    assert_eq!(escaped("web-1_a.b~"), "web-1_a.b~");
    assert_eq!(escaped("a/b c?&%ü"), "a%2Fb%20c%3F%26%25%C3%BC");
}
