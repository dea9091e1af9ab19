//! Bodies, heads and connections of bad manners.

use super::*;

#[test]
fn bodies_must_be_json_and_not_too_long() {
    let agent = root();
    let put = || Asked::new("PUT", "/v1/management");
    let json = || put().header("Content-Type", "application/json");
    for (asked, status) in [
        (put().body(b"{}"), 415),
        (put().header("Content-Type", "text/plain").body(b"{}"), 415),
        (put(), 415),
        (json(), 400),
        (json().body(&vec![b' '; 1024 * 1024]), 400),
        (json().body(&vec![b' '; 1024 * 1024 + 1]), 413),
        (json().body(&vec![b' '; 10_000_000]), 413),
        (json().chunked(&vec![b' '; 10_000_000]), 413),
        (
            json()
                .header("Content-Length", "99999999999")
                .header("Expect", "100-continue"),
            413,
        ),
        (json().header("Content-Length", "many"), 400),
        (json().header("Content-Length", "-1"), 400),
    ] {
        let answer = agent.ask(&asked);
        assert_eq!(answer.status, status, "{}", answer.text());
        if !answer.text().is_empty() {
            assert_eq!(error(&answer).0, "bad_request");
        }
    }
    let charset = put().header("Content-Type", "Application/JSON; charset=utf-8");
    let answer = agent.ask(&charset.body(br#"{"intent": "MyIntent"}"#));
    assert_eq!(answer.status, 200, "{}", answer.text());
    agent.fake.asked();
    // Announced, and never sent: the other side hangs up.
    let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
    let head = "PUT /v1/management HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("sent");
    drop(stream);
    agent.goes_on();
}

#[test]
fn heads_that_make_no_sense_end_their_own_connection() {
    let agent = root();
    let flood: String = (0..5000).map(|at| format!("x-{at}: {at}\r\n")).collect();
    for (bytes, status) in [
        (b"nonsense\r\n\r\n".to_vec(), 400),
        (b"\x16\x03\x01\x00\xa5\x01\r\n\r\n".to_vec(), 400),
        (
            format!("GET /v1/status HTTP/1.1\r\n{flood}\r\n").into_bytes(),
            431,
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1_000_000)).into_bytes(),
            431,
        ),
        (b"GET /v1/status HTTP/9.9\r\n\r\n".to_vec(), 400),
    ] {
        let answer = send(agent.serving.socket(), &bytes);
        assert!(
            [status, 400, 414, 431].contains(&answer.status),
            "{}: {}",
            answer.status,
            answer.text()
        );
    }
    // Half a head, and the client is gone; and a client that does not read the answer.
    for half in ["GET /v1/st", "GET /v1/node HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
        stream.write_all(half.as_bytes()).expect("sent");
    }
    let waiting: Vec<UnixStream> = (0..32)
        .map(|_| UnixStream::connect(agent.serving.socket()).expect("connected"))
        .collect();
    agent.goes_on();
    drop(waiting);
}

#[test]
fn one_connection_serves_many_requests() {
    let agent = root();
    let mut stream = UnixStream::connect(agent.serving.socket()).expect("connected");
    for _ in 0..3 {
        let head = "GET /v1/version HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(head.as_bytes()).expect("sent");
        let mut answer = [0; 1024];
        let read = stream.read(&mut answer).expect("an answer");
        assert!(answer[..read].starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn too_many_connections_are_refused_and_leave_a_place_for_others() {
    let agent = Agent::new(Fixed::onlooker());
    // They come from root, who has no share, and are of a client that may read.
    let all: Vec<UnixStream> = (0..64)
        .map(|_| UnixStream::connect(agent.serving.socket()).expect("connected"))
        .collect();
    let answer = agent.ask(&Asked::new("GET", "/v1/status"));
    assert_eq!(
        (answer.status, error(&answer).0.as_str()),
        (429, "agent_busy")
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(all);
}
