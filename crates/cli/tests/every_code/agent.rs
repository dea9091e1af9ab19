//! What an agent, or the way to it, refuses.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use accelnet_api::testing::{Fake, Fixed};
use accelnet_api::types::Failure;
use accelnet_model::Code;
use accelnet_model::intent::{Intent, Role};

use crate::served::Agent;
use crate::support::Shown;

fn my_intent() -> Intent {
    Intent {
        name: "MyIntent".parse().expect("a name"),
        roles: vec![Role::Compute],
        adapters: vec!["ens1".to_owned()],
        vfs: None,
        security: accelnet_model::VfSecurity::default(),
    }
}

fn enabled() -> Fake {
    Fake::default()
        .intents(&[my_intent()])
        .vms(&["web1"])
        .enabled("MyIntent")
}

/// The code that a command ended with, in its JSON and as its status.
fn code(shown: &Shown) -> Vec<Code> {
    let answer: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let error = match answer["results"].as_array() {
        Some(results) => &results[0]["problem"],
        None => &answer["error"],
    };
    let code: Code = error["code"]
        .as_str()
        .expect("a code")
        .parse()
        .expect("a code");
    assert_eq!(shown.status, code.entry().exit_status);
    vec![code]
}

fn typed(fake: Fake, command: &str) -> Vec<Code> {
    code(&Agent::of(fake).types(&format!("accelnet {command} --output json")))
}

pub fn no_agent() -> Vec<Code> {
    let mut agent = Agent::of(Fake::default());
    agent.stop();
    code(&agent.types("accelnet status --output json"))
}

/// Our own client sends no such thing: this is another one.
pub fn a_field_that_is_not_known() -> Vec<Code> {
    let agent = Agent::of(enabled());
    let mut stream = UnixStream::connect(agent.socket()).expect("connected");
    let body = r#"{"intent": "MyIntent", "nodes": 3}"#;
    write!(
        stream,
        "PUT /v1/management HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let failure: Failure = serde_json::from_str(body).expect("a failure");
    vec![failure.error.code]
}

pub fn an_onlooker_who_changes() -> Vec<Code> {
    let agent = Agent::for_callers(enabled(), Fixed::onlooker());
    let codes = code(&agent.types("accelnet disable --output json"));
    assert_eq!(agent.fake.asked(), Vec::<String>::new());
    codes
}

pub fn a_reserve_of_100() -> Vec<Code> {
    typed(enabled(), "enable --intent MyIntent --node-reserve 100")
}

pub fn a_setting_that_is_none() -> Vec<Code> {
    typed(enabled(), "vm enable web1 --performance turbo")
}

pub fn a_setting_with_0_queue_pairs() -> Vec<Code> {
    typed(enabled(), "set --performance-settings low=0:10")
}

pub fn a_vm_that_is_not_there() -> Vec<Code> {
    typed(enabled(), "vm enable db1 --performance low")
}

pub fn a_vm_while_management_is_off() -> Vec<Code> {
    typed(
        Fake::default().vms(&["web1"]),
        "vm enable web1 --performance low",
    )
}

pub fn more_connections_than_it_takes() -> Vec<Code> {
    let agent = Agent::for_callers(enabled(), Fixed::onlooker());
    let all: Vec<UnixStream> = (0..64)
        .map(|_| UnixStream::connect(agent.socket()).expect("connected"))
        .collect();
    let codes = code(&agent.types("accelnet status --output json"));
    drop(all);
    codes
}
