//! What certificates and profiles come to.

use std::sync::Arc;

use accelnet_api::testing::{Authority, Fake, Serving};
use accelnet_model::Code;

use crate::far::Profiles;

/// What somebody with a certificate of `signer` is told, who trusts `trusted`.
fn asked(signer: impl Fn(&Profiles) -> Authority, trusted: Option<&Authority>) -> Vec<Code> {
    let mut profiles = Profiles::new();
    let folder = tempfile::tempdir().expect("a folder");
    let options = profiles.ca.door(folder.path()).expect("files");
    let serving = Serving::start_far(folder.path(), Arc::new(Fake::default()), &options);
    let serving = serving.expect("two doors");
    let port = serving.address().expect("an address").port();
    let anna = signer(&profiles).client("anna", Some("accelnet-reader"));
    if let Some(trusted) = trusted {
        trusted
            .write(&options.files.client_ca)
            .expect("a file of the door, which it reads again");
        profiles.ca = Authority::new("somebody");
    }
    profiles.write(&format!("localhost:{port}"), &[("anna", &anna)]);
    code(&profiles, "accelnet --profile anna status --output json")
}

fn code(profiles: &Profiles, command: &str) -> Vec<Code> {
    let shown = profiles.types(command);
    let answer: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let code = answer["error"]["code"].as_str().expect("a code");
    let code: Code = code.parse().expect("a code");
    assert_eq!(shown.status, code.entry().exit_status);
    vec![code]
}

pub fn an_agent_of_another_ca() -> Vec<Code> {
    let other = Authority::new("another CA");
    asked(|_| Authority::new("another CA"), Some(&other))
}

pub fn a_client_of_another_ca() -> Vec<Code> {
    asked(|_| Authority::new("another CA"), None)
}

pub fn a_profile_without_its_files() -> Vec<Code> {
    let profiles = Profiles::new();
    let anna = profiles.ca.client("anna", None);
    profiles.write("localhost:7443", &[("anna", &anna)]);
    std::fs::remove_file(profiles.home().join("accelnet/anna.key")).expect("removed");
    code(&profiles, "accelnet --profile anna status --output json")
}

pub fn a_profile_that_is_not_there() -> Vec<Code> {
    code(
        &Profiles::new(),
        "accelnet --profile anna status --output json",
    )
}
