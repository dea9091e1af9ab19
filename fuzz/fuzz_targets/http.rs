//! Requests to the agent's server: each is answered in HTTP with JSON, no answer speaks of a fault of the agent,
//! and a reader changes nothing.

#![no_main]

use std::sync::Arc;

use accelnet_api::Role;
use accelnet_api::routes::ROUTES;
use accelnet_api::server::fuzzing::answer;
use accelnet_api::testing::{Fake, Fixed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let request = request(data);
    for Fixed(caller) in [Fixed::onlooker(), Fixed::root()] {
        let fake = Fake::default().vms(&["web1", "web2"]).enabled("MyIntent");
        let fake = Arc::new(fake);
        let answered = answer(fake.clone(), caller.clone(), &request).expect("a connection");
        // An answer to HEAD has the length of a body and no body.
        if !request.windows(4).any(|word| word == b"HEAD") {
            judge(&answered);
        }
        if caller.role == Role::Reader {
            let asked = fake.asked();
            let dry = |call: &String| call.contains(r#""dry_run":true"#) || call.ends_with(" true");
            assert!(asked.iter().all(dry), "a reader changed something: {asked:?}");
        }
    }
});

/// A request to a route: its name and query up to the first line feed, then its body. The data alone where the
/// first byte says so.
fn request(data: &[u8]) -> Vec<u8> {
    let Some((which, rest)) = data.split_first() else {
        return Vec::new();
    };
    let Some(route) = ROUTES.get(usize::from(*which) % (ROUTES.len() + 1)) else {
        return rest.to_vec();
    };
    let mut parts = rest.splitn(2, |byte| *byte == b'\n');
    let place = parts.next().unwrap_or_default();
    let body = parts.next().unwrap_or_default();
    let head = format!(
        " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let path = route.path.trim_end_matches("{name}");
    [route.method.as_bytes(), b" ", path.as_bytes(), place, head.as_bytes(), body].concat()
}

/// Answers, one after the other.
fn judge(mut rest: &[u8]) {
    while !rest.is_empty() {
        let all = String::from_utf8_lossy(rest).into_owned();
        let head = rest.windows(4).position(|end| end == b"\r\n\r\n");
        let head = &all[..head.unwrap_or_else(|| panic!("no whole head: {all}"))];
        assert!(head.starts_with("HTTP/1."), "{all}");
        let status: u16 = head[9..12].parse().expect("a status");
        assert!(status < 500, "{all}");
        let mut lengths = head.lines().filter_map(|line| line.strip_prefix("content-length: "));
        let length = lengths.next().map_or(0, |length| length.parse().expect("a length"));
        let body = &rest[head.len() + 4..][..length];
        if length > 0 {
            serde_json::from_slice::<serde_json::Value>(body).expect("JSON");
        }
        rest = &rest[head.len() + 4 + length..];
    }
}
