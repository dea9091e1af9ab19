use super::*;

#[test]
fn texts_part_at_a_line() {
    assert_eq!(difference("a\nb\n", "a\nb\n"), None);
    let shown = |old, new| difference(old, new).unwrap();
    assert_eq!(shown("a\nb\nc\n", "a\nB\nc\n"), "@@ line 2 @@\n-b\n+B");
    assert_eq!(shown("", "a\n"), "@@ line 1 @@\n+a");
    assert_eq!(shown("a\nb\n", "a\n"), "@@ line 2 @@\n-b");
    assert_eq!(shown("a", "a\n"), "only the ends of lines differ");
}

#[test]
fn stale_files_are_named() {
    let (made, kept) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(made.path().join("man")).unwrap();
    for (name, new, old) in [
        ("errors.md", "1", Some("1")),
        ("commands.md", "2", Some("1")),
        ("man/accelnet.1", "3", None),
    ] {
        fs::write(made.path().join(name), new).unwrap();
        if let Some(old) = old {
            fs::write(kept.path().join(name), old).unwrap();
        }
    }
    fs::write(kept.path().join("lab.md"), "written by hand").unwrap();
    let stale = stale(made.path(), kept.path()).unwrap();
    assert_eq!(stale, ["docs/commands.md", "docs/man/accelnet.1"]);
}
