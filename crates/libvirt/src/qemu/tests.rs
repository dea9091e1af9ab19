use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;

/// A root with a script as the emulator at `place`.
fn root_with(place: &str, script: &str) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    root
}

#[test]
fn the_words_of_every_distribution_are_read() {
    for (output, version) in [
        (
            "QEMU emulator version 10.0.2 (Debian 1:10.0.2+ds-2+deb13u1)\nCopyright (c) ...\n",
            Version::new(10, 0, 2),
        ),
        (
            "QEMU emulator version 9.1.0 (qemu-kvm-9.1.0-15.el9)\n",
            Version::new(9, 1, 0),
        ),
        (
            "QEMU emulator version 8.2.91 (v9.0.0-rc1)\n",
            Version::new(8, 2, 91),
        ),
    ] {
        assert_eq!(parse(output), Some(version), "{output}");
    }
    assert_eq!(parse("QEMU emulator version unknown"), None);
    assert_eq!(parse(""), None);
}

#[test]
fn no_emulator_is_none() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(qemu_version(root.path()), Ok(None));
}

#[test]
fn the_emulator_is_found_where_the_distribution_puts_it() {
    for place in PLACES {
        let root = root_with(place, "#!/bin/sh\necho QEMU emulator version 10.0.2\n");
        let version = qemu_version(root.path());
        assert_eq!(version, Ok(Some(Version::new(10, 0, 2))), "{place}");
    }
}

#[test]
fn an_emulator_that_fails_reports_the_reason() {
    let root = root_with(
        PLACES[0],
        "#!/bin/sh\necho libfoo.so is missing >&2\nexit 127\n",
    );
    let error = qemu_version(root.path()).unwrap_err().to_string();
    assert!(
        error.ends_with("--version failed: exit status: 127: libfoo.so is missing"),
        "{error}"
    );

    let root = root_with(PLACES[0], "#!/bin/sh\necho hello\n");
    let error = qemu_version(root.path()).unwrap_err().to_string();
    assert!(error.contains("said \"hello\""), "{error}");
}
