use std::os::unix::net::UnixDatagram;

use super::*;

fn levels(text: &str) -> Levels {
    text.parse().expect("levels")
}

#[test]
fn levels_are_for_all_targets_or_for_one() {
    let Levels(targets) = levels("info, accelnet_agent::vms=debug");
    assert!(targets.would_enable("accelnet_api", &Level::INFO));
    assert!(!targets.would_enable("accelnet_api", &Level::DEBUG));
    assert!(targets.would_enable("accelnet_agent::vms::pair", &Level::DEBUG));
    let Levels(targets) = levels("accelnet_agent=off");
    assert!(targets.would_enable("accelnet_api", &Level::WARN));
    assert!(!targets.would_enable("accelnet_agent", &Level::ERROR));
}

#[test]
fn what_is_no_level_is_refused() {
    for (text, words) in [
        ("", "\"\" is not a level"),
        (
            "loud",
            "\"loud\" is not a level: off, error, warn, info or debug",
        ),
        ("trace", "\"trace\" is not a level"),
        ("2", "\"2\" is not a level"),
        ("accelnet_agent", "\"accelnet_agent\" is not a level"),
        ("info,", "\"\" is not a level"),
        ("accelnet_agent=", "\"\" is not a level"),
        ("=debug", "\"\" is not the path of a module"),
        ("a b=debug", "\"a b\" is not the path of a module"),
    ] {
        let refused = text.parse::<Levels>().expect_err(text);
        assert!(refused.starts_with(words), "{text}: {refused}");
    }
}

/// The records that `log` leaves in a journal.
fn records(chosen: &Levels, log: impl FnOnce(&Chosen)) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("journal");
    let journal = UnixDatagram::bind(&socket).expect("a socket");
    journal.set_nonblocking(true).expect("set");
    let (filter, handle) = reload::Layer::new(chosen.0.clone());
    let sink = Sink::Journal(Journald::within(&socket, Duration::ZERO));
    let format = fmt::layer().without_time().with_level(false);
    let subscriber = registry().with(filter).with(format.with_writer(sink));
    let chosen = Chosen {
        levels: chosen.clone(),
        handle,
    };
    tracing::subscriber::with_default(subscriber, || log(&chosen));
    let mut all = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(length) = journal.recv(&mut buffer) {
        all.extend_from_slice(&buffer[..length]);
    }
    String::from_utf8(all).expect("text")
}

#[test]
fn a_line_is_a_record_with_its_priority_and_span() {
    let records = records(&levels("info"), |_| {
        let _reconcile = reconcile("a policy change");
        tracing::warn!(vm = "a\u{1b}b", "no VF\nfor {}", "\u{202e}");
        tracing::debug!("not recorded");
    });
    assert_eq!(
        records,
        "MESSAGE=reconcile{cause=\"a policy change\"}: accelnet_agent::logging::tests: no VF\\nfor \\u{202e} vm=\"a\\u{1b}b\"\n\
         PRIORITY=4\nSYSLOG_IDENTIFIER=accelnet\n"
    );
}

#[test]
fn a_file_changes_the_levels_while_it_exists() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(FILE);
    let records = records(&levels("error"), |chosen| {
        std::fs::write(&file, "info\n").expect("written");
        chosen.apply(&file);
        tracing::info!("with the file");
        std::fs::write(&file, "loud\n").expect("written");
        chosen.apply(&file);
        tracing::info!("as before");
        std::fs::remove_file(&file).expect("removed");
        chosen.apply(&file);
        tracing::warn!("not recorded");
    });
    let lines = records.lines().filter(|line| line.starts_with("MESSAGE="));
    let ends = [
        "with the file",
        "off, error, warn, info or debug",
        "as before",
    ];
    assert!(
        lines.clone().count() == 3 && lines.zip(ends).all(|(line, end)| line.ends_with(end)),
        "{records}"
    );
}
