//! What is recorded of requests: one event each, with who asked, and each change in the node's journal.

use std::collections::BTreeMap;
use std::os::unix::net::UnixDatagram;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use accelnet_agent::journal::{Journal, NewEvent};
use accelnet_agent::journald::{Journald, MESSAGE_ID};
use accelnet_agent::simulated::DirectAgent;
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::{
    AdaptersChange, Event, EventKind, IntentSet, NodeDrain, Set, VmChange, VmDisable,
};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Performance, outside};
use accelnet_sim::Fault;

use crate::fixture::{Fixture, INTENT, NODE, WHO, enable, set};

const LOW: Performance = Performance::Low;

/// What ends the records of one look.
const END: &[u8] = b"END";

/// A journal beside an agent.
struct Audited {
    fixture: Fixture,
    agent: DirectAgent,
    to_journal: UnixDatagram,
    records: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Audited {
    fn of(fixture: Fixture) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("journal");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        let (sender, records) = channel();
        // As journald does: it reads all the time.
        let _reader = std::thread::spawn(move || {
            let mut bytes = vec![0; 1 << 16];
            while let Ok(length) = socket.recv(&mut bytes) {
                let text = String::from_utf8(bytes[..length].to_vec()).expect("text");
                if sender.send(text).is_err() {
                    break;
                }
            }
        });
        let to_journal = UnixDatagram::unbound().expect("a socket");
        to_journal.connect(&path).expect("connected");
        let edge = Simulated::new(fixture.machine.clone()).journald(Journald::at(path));
        let mut agent = DirectAgent::new(Box::new(edge), Arc::clone(&fixture.store), &fixture.node);
        agent.reconcile().expect("a store");
        let audited = Audited {
            fixture,
            agent,
            to_journal,
            records,
            _folder: folder,
        };
        let _ = audited.records();
        audited
    }

    /// The records since the last time, by their fields.
    fn records(&self) -> Vec<BTreeMap<String, String>> {
        let _ = self.to_journal.send(END).expect("sent");
        let records = self
            .records
            .iter()
            .take_while(|text| text.as_bytes() != END);
        let fields = records.map(|text| {
            let fields = text.lines().map(|line| {
                let (name, value) = line.split_once('=').expect("a field");
                (name.to_owned(), value.to_owned())
            });
            fields.collect()
        });
        fields.collect()
    }

    fn last(&self) -> Event {
        self.fixture.events().pop().expect("an event")
    }
}

fn all(names: &[&str], dry_run: bool) -> VmChange {
    VmChange::Disable(VmDisable {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        dry_run,
    })
}

#[test]
fn a_change_of_several_vms_is_one_event_and_each_is_in_the_journal() {
    let fixture = Fixture::enabled();
    for (name, number) in [("web1", 1), ("web2", 2), ("db", 3)] {
        fixture.define(name, number, 4);
    }
    let mut audited = Audited::of(fixture);
    let before = audited.fixture.events().len();
    let changed = audited
        .agent
        .change_vms(WHO, &enable("web*", LOW, false))
        .expect("changed");
    assert!(changed.ok, "{changed:#?}");
    let event = audited.last();
    assert_eq!(audited.fixture.events().len(), before + 1);
    assert_eq!((event.kind, event.code), (EventKind::Changed, None));
    assert_eq!(event.subject, "web1 and 1 more");
    assert_eq!(event.message, "Enabled acceleration on 2 of 2 VMs.");
    assert_eq!(event.user.as_deref(), Some(WHO));
    let outcomes = event.outcomes.iter().map(|one| (&*one.subject, one.ok));
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        [("web1", true), ("web2", true)]
    );
    let records = audited.records();
    assert_eq!(records.len(), 3, "{records:#?}");
    let subjects = records.iter().map(|record| &*record["ACCELNET_SUBJECT"]);
    assert_eq!(
        subjects.collect::<Vec<_>>(),
        ["web1 and 1 more", "web1", "web2"]
    );
    for record in &records {
        assert_eq!(record["MESSAGE_ID"], MESSAGE_ID);
        assert_eq!(record["ACCELNET_WHO"], WHO);
        assert_eq!(record["ACCELNET_OUTCOME"], "changed");
        assert_eq!(record["ACCELNET_REQUEST"], records[0]["ACCELNET_REQUEST"]);
        assert!(record["MESSAGE"].contains("acceleration"), "{record:#?}");
    }
    // Some go, and some are refused.
    let _ = audited
        .agent
        .change_vms(WHO, &all(&["web1", "db", "nobody"], false))
        .expect("changed");
    let event = audited.last();
    assert_eq!(audited.fixture.events().len(), before + 2);
    assert_eq!(event.message, "Disabled acceleration on 1 of 2 VMs.");
    let codes = event.outcomes.iter().map(|one| (&*one.subject, one.code));
    let wanted = [("web1", None), ("nobody", Some(Code::VmNotFound))];
    assert_eq!(codes.collect::<Vec<_>>(), wanted);
    let outcomes = audited.records();
    let outcomes = outcomes.iter().map(|record| &*record["ACCELNET_OUTCOME"]);
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        ["changed", "changed", "refused"]
    );
}

#[test]
fn one_subject_is_one_record_and_a_dry_run_none() {
    let fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let mut audited = Audited::of(fixture);
    let before = audited.fixture.events().len();
    let _ = audited
        .agent
        .change_vms(WHO, &all(&["web", "nobody"], true))
        .expect("judged");
    let looked = AdaptersChange {
        dry_run: true,
        ..AdaptersChange::default()
    };
    let _ = audited.agent.change_adapters(WHO, &looked).expect("judged");
    assert_eq!(audited.fixture.events().len(), before);
    assert!(audited.records().is_empty());
    let _ = audited
        .agent
        .change_vms(WHO, &enable("web", LOW, false))
        .expect("changed");
    let records = audited.records();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0]["ACCELNET_SUBJECT"], "web");
    let _ = audited
        .agent
        .change_vms(WHO, &set("nobody", LOW, false))
        .expect("refused");
    let records = audited.records();
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!(records[0]["ACCELNET_CODE"], "vm_not_found");
    let _ = audited.agent.disable(WHO, false).expect("disabled");
    assert_eq!(
        audited.records()[0]["ACCELNET_WHAT"],
        "Disabled Accelerated Networking."
    );
}

/// A request that is carried out already is answered, and changes nothing.
#[test]
fn what_changes_nothing_is_no_event() {
    let mut fixture = Fixture::enabled();
    let drain = |undrain| NodeDrain {
        node: NODE.parse().expect("a name"),
        undrain,
        dry_run: false,
    };
    let adapters = AdaptersChange {
        names: vec!["ens2".to_owned()],
        vfs: Some(2),
        ..AdaptersChange::default()
    };
    let roles = IntentSet {
        roles: Some(vec![Role::Compute]),
        ..IntentSet::default()
    };
    let reserve = Set {
        node_reserve_percentage: Some(20),
        ..Set::default()
    };
    type Request<'a> = &'a dyn Fn(&mut Fixture) -> bool;
    let requests: [(&str, Request<'_>, bool); 8] = [
        (
            "add",
            &|fixture| {
                fixture
                    .add_intent(INTENT, &[Role::Compute], &["ens1"])
                    .is_ok()
            },
            false,
        ),
        (
            "change",
            &|fixture| fixture.set_intent(&roles).is_ok(),
            false,
        ),
        (
            "reserve",
            &|fixture| fixture.agent().set(WHO, &reserve).is_ok(),
            true,
        ),
        ("enable", &|fixture| fixture.enable(None).is_ok(), false),
        (
            "adapters",
            &|fixture| fixture.agent().change_adapters(WHO, &adapters).is_ok(),
            true,
        ),
        (
            "drain",
            &|fixture| fixture.agent().drain(WHO, &drain(false)).is_ok(),
            true,
        ),
        (
            "undrain",
            &|fixture| fixture.agent().drain(WHO, &drain(true)).is_ok(),
            true,
        ),
        (
            "disable",
            &|fixture| fixture.agent().disable(WHO, false).is_ok(),
            true,
        ),
    ];
    for (what, request, changes) in requests {
        let before = fixture.events().len();
        assert!(request(&mut fixture), "{what}");
        assert_eq!(fixture.events().len() > before, changes, "{what}");
        let before = fixture.events().len();
        assert!(request(&mut fixture), "{what}");
        assert_eq!(fixture.events()[before..], [], "{what}");
    }
}

#[test]
fn a_change_of_adapters_keeps_its_time_limit() {
    let mut fixture = Fixture::new();
    fixture.machine.kernel.break_with(Fault::Hang);
    let change = AdaptersChange {
        names: vec!["ens2".to_owned()],
        timeout_seconds: Some(7),
        ..AdaptersChange::default()
    };
    let changed = fixture.agent().change_adapters(WHO, &change);
    let problem = changed.expect("an answer").results.remove(0).problem;
    let problem = problem.expect("refused");
    assert_eq!(problem.code, Code::VfCountTimedOut);
    assert!(problem.found.contains("7 s"), "{problem:?}");
}

#[test]
fn a_thousand_unknown_names_and_a_huge_one_are_one_small_event() {
    let fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let mut audited = Audited::of(fixture);
    let huge = format!("B\n\u{1b}[31m{}", "x".repeat(1_000_000));
    let mut names: Vec<String> = (0..1200).map(|number| format!("none{number}")).collect();
    names.push(huge);
    names.push("web".to_owned());
    let before = audited.fixture.events().len();
    let mut change = enable("web", LOW, false);
    if let VmChange::Enable(enable) = &mut change {
        enable.names = names;
    }
    let changed = audited
        .agent
        .change_vms("eve (uid 1000)", &change)
        .expect("changed");
    assert!(!changed.ok);
    let event = audited.last();
    assert_eq!(audited.fixture.events().len(), before + 1);
    assert_eq!(event.user.as_deref(), Some("eve (uid 1000)"));
    assert_eq!(event.message, "Enabled acceleration on 1 of 1202 VMs.");
    assert_eq!(
        (event.outcomes.len(), event.omitted_outcomes),
        (16, 1202 - 16)
    );
    assert_eq!(
        (&*event.outcomes[0].subject, event.outcomes[0].ok),
        ("web", true)
    );
    let kept = serde_json::to_string(&event).expect("JSON");
    assert!(kept.len() < 10_000, "{}", kept.len());
    let records = audited.records();
    assert_eq!(records.len(), 1 + 1 + 16);
    assert_eq!(records[1]["ACCELNET_SUBJECT"], "web");
    // The huge one alone.
    let only = all(&[&format!("B\n\u{1b}[31m{}", "x".repeat(1_000_000))], false);
    let _ = audited.agent.change_vms(WHO, &only).expect("refused");
    let event = audited.last();
    assert!(
        event.subject.starts_with("B\\n\\u{1b}[31mxxx"),
        "{}",
        event.subject
    );
    assert!(
        event.subject.ends_with("... (1000007 characters)"),
        "{}",
        event.subject
    );
    assert!(!event.message.chars().any(outside::is_hidden));
}

#[test]
fn a_flood_of_refusals_pushes_out_nobody_elses_events() {
    let mut fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let change = enable("web", LOW, false);
    let _ = fixture
        .agent()
        .change_vms("anna", &change)
        .expect("changed");
    let unknown = set("nobody", LOW, false);
    let _ = fixture
        .agent()
        .change_vms("anna", &unknown)
        .expect("refused");
    let before = fixture.events();
    let journal = Journal::new(Arc::clone(&fixture.store), "node2");
    for number in 0..1200 {
        let event = NewEvent {
            who: Some("eve".to_owned()),
            ..NewEvent::of(EventKind::Refused, "nobody", format!("Refused: {number}."))
        };
        journal.record("2026-05-01T12:00:00Z", event);
    }
    let after = journal.since(None, 0, usize::MAX).expect("events");
    for event in before {
        assert!(after.contains(&event), "{event:#?}");
    }
    let there = fixture
        .store
        .range("events/")
        .expect("events")
        .entries
        .len();
    assert!(there < 800, "{there} are there");
}

#[test]
fn a_journal_that_is_not_there_changes_nothing() {
    let fixture = Fixture::enabled();
    fixture.define("web", 1, 4);
    let edge = Simulated::new(fixture.machine.clone()).journald(Journald::at("/nowhere/journal"));
    let mut agent = DirectAgent::new(Box::new(edge), Arc::clone(&fixture.store), &fixture.node);
    agent.reconcile().expect("a store");
    let changed = agent
        .change_vms(WHO, &enable("web", LOW, false))
        .expect("changed");
    assert!(changed.ok, "{changed:#?}");
}
