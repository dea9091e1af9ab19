use super::*;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;

/// A folder of ours with a program in `folder` below it.
struct Place {
    home: tempfile::TempDir,
    folder: &'static str,
}

impl Place {
    fn new(folder: &'static str) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let place = Place { home, folder };
        fs::create_dir_all(place.below(folder)).expect("made");
        fs::write(place.program(), "").expect("written");
        for path in place.program().ancestors() {
            if path.starts_with(place.home.path()) {
                place.mode(path, 0o755);
            }
        }
        place
    }

    fn below(&self, folder: &str) -> std::path::PathBuf {
        self.home.path().join(folder)
    }

    fn program(&self) -> std::path::PathBuf {
        self.below(self.folder).join("accelnet")
    }

    fn mode(&self, path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
    }

    fn flaw(&self) -> Option<String> {
        let own = rustix::process::geteuid().as_raw();
        flaw(&self.program(), self.home.path(), &[ROOT, own])
    }
}

#[test]
fn a_program_that_no_other_user_can_write_is_fine() {
    for folder in ["bin", "a b/100%/$x/${y}"] {
        assert_eq!(Place::new(folder).flaw(), None);
    }
}

#[test]
fn others_who_can_write_the_program_or_a_folder_above_it_are_named() {
    for (path, mode) in [
        ("opt/bin/accelnet", 0o757),
        ("opt/bin", 0o777),
        ("opt", 0o777),
        ("opt", 0o1777),
        ("", 0o703),
    ] {
        let place = Place::new("opt/bin");
        place.mode(&place.below(path), mode);
        let flaw = place.flaw().expect("a flaw");
        assert!(flaw.starts_with("every user can write /"), "{flaw}");
    }
    let place = Place::new("opt/bin");
    let own = rustix::process::geteuid().as_raw();
    let others = flaw(&place.program(), place.home.path(), &[own + 1]).expect("a flaw");
    assert!(
        others.ends_with(&format!("belongs to uid {own}")),
        "{others}"
    );
}

#[test]
fn a_group_that_can_write_is_named_unless_it_is_roots_own() {
    let place = Place::new("opt/bin");
    place.mode(&place.below("opt"), 0o775);
    let gid = fs::metadata(place.below("opt")).expect("a folder").gid();
    assert_eq!(place.flaw().is_none(), gid == ROOT, "{gid}");
}

#[test]
fn what_no_unit_can_name_is_refused_and_shown_escaped() {
    for folder in ["a\nb", "a\u{1b}[31mb", "a\u{202e}b"] {
        let flaw = Place::new(folder).flaw().expect("a flaw");
        assert!(!flaw.chars().any(outside::is_hidden), "{flaw:?}");
    }
    for folder in ["a\"b", "a'b", "a\\b"] {
        let flaw = Place::new(folder).flaw().expect("a flaw");
        assert!(flaw.starts_with("systemd runs no program"), "{flaw:?}");
    }
    let place = Place::new("bin");
    fs::remove_file(place.program()).expect("removed");
    assert!(
        place
            .flaw()
            .expect("a flaw")
            .ends_with("is no file any more")
    );
}
