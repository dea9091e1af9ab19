use super::*;

const GOOD: &str = "[profiles.lab]\nserver = 'n1:7443'\nca = 'ca.pem'\ncert = '/x/anna.pem'\nkey = 'keys/anna.key'\n";

fn found(text: &str, name: &str) -> Result<Profile, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profiles.toml");
    std::fs::write(&file, text).expect("a file");
    let shown = folder.path().display().to_string();
    find(name, &[folder.path().join("none.toml"), file])
        .map_err(|problem| problem.found.replace(&shown, ""))
}

#[test]
fn files_are_named_from_where_the_profile_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profiles.toml");
    std::fs::write(&file, GOOD).expect("a file");
    let profile = find("lab", &[file]).expect("a profile");
    let credentials = profile.credentials();
    assert_eq!(profile.server.as_deref(), Some("n1:7443"));
    assert_eq!(credentials.ca, folder.path().join("ca.pem"));
    assert_eq!(credentials.cert, Path::new("/x/anna.pem"));
    assert_eq!(credentials.key, folder.path().join("keys/anna.key"));
}

#[test]
fn what_is_wrong_is_reported_with_its_line() {
    for (text, expected) in [
        (
            "[profiles.lab]\nserver = 'n1:7443'\nca = 3\n",
            "/profiles.toml line 3: invalid type: integer `3`, expected path string.",
        ),
        (
            "[profiles.lab]\nca = 'a'\ncert = 'b'\nkey = 'c'\nport = 1\n",
            "/profiles.toml line 5: unknown field `port`, expected one of `server`, `ca`, `cert`, `key`.",
        ),
        (
            "[profiles.lab]\nca = 'a'\nkey = 'c'\n",
            "/profiles.toml line 1: missing field `cert`.",
        ),
        (
            "[lab]\nca = 'a'\n",
            "/profiles.toml line 1: unknown field `lab`, expected `profiles`.",
        ),
    ] {
        assert_eq!(found(text, "lab").expect_err(text), expected);
    }
    for text in ["[profiles.lab", "\u{0}", "profiles = 1", "x = [\n\n"] {
        let words = found(text, "lab").expect_err(text);
        assert!(
            words.starts_with("/profiles.toml line "),
            "{text:?}: {words}"
        );
    }
}

#[test]
fn a_name_that_is_not_there_is_reported_with_those_that_are() {
    assert_eq!(
        found(GOOD, "prod").expect_err("none"),
        "Profile prod does not exist in /none.toml or /profiles.toml: the files have 1 profile, and none has a similar name."
    );
    assert_eq!(
        found("", "prod").expect_err("none"),
        "Profile prod does not exist in /none.toml or /profiles.toml: the files have no profile."
    );
}

#[test]
fn the_first_file_goes_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = folder.path().join("own.toml");
    let all = folder.path().join("all.toml");
    std::fs::write(&own, GOOD.replace("n1", "mine")).expect("a file");
    std::fs::write(&all, GOOD.replace("n1", "of_all")).expect("a file");
    let profile = find("lab", &[own, all]).expect("a profile");
    assert_eq!(profile.server.as_deref(), Some("mine:7443"));
}
