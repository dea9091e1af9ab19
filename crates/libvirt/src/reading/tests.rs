use std::io::Read;
use std::os::unix::net::UnixListener;

use super::*;

/// Reads `uri`; none, with a word about it, where libvirt is not installed.
fn asked(uri: &str, within: Duration) -> Option<Result<Reading, LibvirtError>> {
    match read(uri, within) {
        Err(error @ LibvirtError::NotInstalled { .. }) => {
            eprintln!("SKIPPED: {error}");
            None
        }
        answer => Some(answer),
    }
}

#[test]
fn everything_is_read_in_time() {
    if let Some(answer) = asked("test:///default", Duration::from_secs(50)) {
        assert_eq!(answer.unwrap().domains.unwrap().read.len(), 1);
    }
}

#[test]
fn a_silent_daemon_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let daemon = UnixListener::bind(&socket).unwrap();
    // Reads requests, and never answers.
    thread::spawn(move || {
        for stream in daemon.incoming() {
            let mut told = Vec::new();
            drop(stream.and_then(|mut stream| stream.read_to_end(&mut told)));
        }
    });
    let within = Duration::from_millis(700);
    let uri = format!("qemu+unix:///system?socket={}", socket.display());
    if let Some(answer) = asked(&uri, within) {
        let late = LibvirtError::TimedOut { after: within };
        assert_eq!(answer, Err(late.clone()));
        assert!(late.to_string().contains("within 0.7 s"), "{late}");
    }
}
