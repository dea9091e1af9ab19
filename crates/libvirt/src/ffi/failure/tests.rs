use super::*;

fn failure(code: i32, errno: i32) -> Failure {
    Failure {
        code,
        errno,
        words: "its words".to_owned(),
    }
}

#[test]
fn a_connection_that_fails_names_the_obstacle() {
    let words = || "its words".to_owned();
    let not_running = LibvirtError::NotRunning { words: words() };
    let refused = LibvirtError::Refused { words: words() };
    for (code, errno, expected) in [
        (SYSTEM_ERROR, libc::ENOENT, &not_running),
        (SYSTEM_ERROR, libc::ECONNREFUSED, &not_running),
        (SYSTEM_ERROR, libc::EACCES, &refused),
        (AUTH_UNAVAILABLE, 0, &refused),
        (ACCESS_DENIED, 0, &refused),
    ] {
        assert_eq!(failure(code, errno).connecting(), *expected);
    }
    let other = failure(SYSTEM_ERROR, libc::EIO).connecting().to_string();
    assert_eq!(other, "libvirt could not open a connection: its words");
}

#[test]
fn a_domain_that_is_gone_is_known_by_its_code() {
    assert!(failure(NO_DOMAIN, 0).is_gone());
    assert!(!failure(SYSTEM_ERROR, libc::ENOENT).is_gone());
}
