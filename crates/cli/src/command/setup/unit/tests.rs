use super::*;

fn start(program: &str) -> String {
    let text = text(Path::new(program));
    let mut lines = text.lines();
    let line = lines.find_map(|line| line.strip_prefix("ExecStart="));
    line.expect("a command line").to_owned()
}

#[test]
fn an_ordinary_path_stands_as_it_is() {
    for path in ["/usr/local/bin/accelnet", "/opt/accelnet-1.0/bin/accelnet"] {
        assert_eq!(start(path), format!("{path} agent $ACCELNET_STORE"));
    }
}

#[test]
fn blanks_and_special_characters_are_quoted() {
    let line = start("/opt/a b/100%/$x/accelnet");
    let wanted = "\"/opt/a b/100%%/$x/accelnet\" agent $ACCELNET_STORE";
    assert_eq!(line, wanted);
}

/// systemd's own reader, where it is installed: it reports when a unit's program is not there.
#[test]
fn systemd_reads_the_very_path() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("a b/100%n/$HOME ${x}/;#|é");
    std::fs::create_dir_all(&folder).expect("made");
    let program = folder.join("accelnet");
    std::fs::copy("/bin/true", &program).expect("copied");
    let unit = home.path().join("accelnet.service");
    let verify = |text: &str| {
        // Nothing but the command line is asked about.
        let text = text
            .lines()
            .filter(|line| !line.starts_with("Documentation"));
        std::fs::write(
            &unit,
            text.map(|line| format!("{line}\n")).collect::<String>(),
        )
        .expect("written");
        let verified = std::process::Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&unit)
            .output();
        verified.map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let Ok(said) = verify(&text(&program)) else {
        eprintln!("systemd-analyze is not installed: nothing was tried");
        return;
    };
    assert!(!said.contains("accelnet.service"), "{said}");
    let said = verify(&text(&folder.join("other"))).expect("ran");
    assert!(said.contains("is not executable"), "{said}");
}
