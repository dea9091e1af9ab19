//! Output that cannot be written.

use std::ffi::OsStr;
use std::fs::File;
use std::process::{Command, Output, Stdio};

use accelnet::args::ColorChoice;

fn full() -> Stdio {
    let device = File::options().write(true).open("/dev/full");
    Stdio::from(device.expect("/dev/full"))
}

fn runs(words: &[&str], out: Stdio, err: Stdio) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accelnet"));
    command.args(words).stdin(Stdio::null());
    let child = command.stdout(out).stderr(err).spawn().expect("a program");
    child.wait_with_output().expect("its end")
}

const ANSWERS: [&[&str]; 8] = [
    &["--help"],
    &["--version"],
    &["vm", "--help"],
    &["vm", "enable", "--help"],
    &["explain"],
    &["explain", "vm_not_found"],
    &["explain", "vm_not_found", "--output", "json"],
    &["cmdlets", "list"],
];

#[test]
fn output_that_cannot_be_written_is_an_error_with_its_own_status() {
    for words in ANSWERS {
        assert_eq!(
            runs(words, Stdio::null(), Stdio::null()).status.code(),
            Some(0),
            "{words:?}"
        );
        let ended = runs(words, full(), Stdio::piped());
        let err = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(
            err,
            "error: the output is incomplete\n  \
               cause: standard output cannot be written: No space left on device (os error 28)\n  \
               hint:  free space where the output goes, and show the state before you run a change again\n",
            "{words:?}"
        );
        assert_eq!(ended.status.code(), Some(3), "{words:?}");
    }
}

#[test]
fn a_command_that_failed_keeps_its_status() {
    for err in [full(), Stdio::null()] {
        let ended = runs(&["explain", "no_such_code"], full(), err);
        let usual = runs(&["explain", "no_such_code"], Stdio::null(), Stdio::null());
        assert_ne!(usual.status.code(), Some(0));
        assert_eq!(ended.status.code(), usual.status.code());
    }
    assert_eq!(runs(&["frobnicate"], full(), full()).status.code(), Some(2));
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    for words in ANSWERS {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let ended = runs(words, Stdio::from(writer), Stdio::piped());
        assert_eq!(
            (ended.status.code(), ended.stderr),
            (Some(0), Vec::new()),
            "{words:?}"
        );
    }
}

#[test]
fn colour_needs_a_terminal_and_no_color_is_honoured() {
    let colour = |choice, terminal, no_color: Option<&str>, term: Option<&str>| {
        let (no_color, term) = (no_color.map(OsStr::new), term.map(OsStr::new));
        accelnet::output::coloured(choice, terminal, no_color, term)
    };
    let auto = ColorChoice::Auto;
    assert!(colour(auto, true, None, Some("xterm")));
    assert!(colour(auto, true, Some(""), None));
    assert!(!colour(auto, true, Some("1"), Some("xterm")));
    assert!(!colour(auto, true, None, Some("dumb")));
    assert!(!colour(auto, false, None, Some("xterm")));
    assert!(colour(ColorChoice::Always, false, Some("1"), Some("dumb")));
    assert!(!colour(ColorChoice::Never, true, None, Some("xterm")));
}

#[test]
fn a_wrong_command_line_is_coloured_only_on_request() {
    for (words, coloured) in [
        (&["statsu"][..], false),
        (&["statsu", "--color", "always"], true),
        (&["--color=always", "statsu"], true),
        (&["--color=always", "statsu", "--color=never"], false),
    ] {
        let ended = runs(words, Stdio::piped(), Stdio::piped());
        let err = String::from_utf8(ended.stderr).expect("text");
        assert_eq!(err.contains('\u{1b}'), coloured, "{words:?}: {err}");
    }
}
