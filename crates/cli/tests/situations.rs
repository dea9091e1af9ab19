//! What an administrator sees in forty situations, in narrow and wide terminals, with and without colour.
//!
//! The page is `situations.golden.md`: `UPDATE_GOLDEN=1 cargo test -p accelnet --test situations` writes it.

#[expect(dead_code, reason = "others need all of it")]
mod support;

#[path = "situations/errors.rs"]
mod errors;
#[path = "situations/nodes.rs"]
mod nodes;
#[path = "situations/page.rs"]
mod page;

use std::path::Path;
use std::time::Duration;

use accelnet_api::testing::{Fake, Fixed};
use accelnet_api::types::EventKind;
use accelnet_host::Clock;
use accelnet_model::intent::{Intent, Role};
use page::{Page, Terminal};

/// A clock that shows 46 seconds after everything in the cluster happened.
struct Later;

impl Clock for Later {
    fn now(&self) -> String {
        "2026-11-22T10:00:46Z".to_owned()
    }

    fn uptime(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

fn cluster() -> Fake {
    Fake::default()
        .intents(&[Intent {
            name: "compute".parse().expect("a name"),
            roles: vec![Role::Compute],
            adapters: vec!["ens1f0".to_owned()],
            vfs: None,
            security: accelnet_model::VfSecurity::default(),
        }])
        .vms(&["web01", "web02", "web03", "db01"])
        .beside("n2", 1)
}

const PIPE: Terminal = Terminal::pipe();
const W60: Terminal = Terminal::of(60);
const W80: Terminal = Terminal::of(80);
const W200: Terminal = Terminal::of(200);

/// Lists and shows of a cluster without faults.
fn without_faults(page: &mut Page) {
    page.heading("A cluster without faults");
    let agent = page::agent(cluster().enabled("compute"), Fixed::root());
    let prepared = agent.types(PIPE, "accelnet vm enable web01 web02 --performance high");
    assert_eq!(prepared.status, 0, "{}", prepared.err);
    for (title, terminal, command) in [
        ("The state of the cluster", W80, "status"),
        ("The same in colour", W80.coloured(), "status"),
        ("The same in a narrow terminal", W60, "status"),
        ("The VMs", W80, "vm list"),
        ("The same in a narrow terminal", W60, "vm list"),
        ("The same for a script", PIPE, "vm list --output name"),
        ("Only some VMs", W80, "vm list --accelerated --name 'web*'"),
        ("A VM", W80, "vm show web01"),
        ("The same in a narrow terminal", W60, "vm show web01"),
        ("The vNICs of a VM", W80, "vm nics web01"),
        ("The nodes", W80, "node list"),
        ("The intents", W80, "intent list"),
        ("The state of an intent", W80, "intent status"),
        ("An intent", W80, "intent show compute"),
        ("The free capacity", W80, "capacity"),
        ("The health", W80, "health"),
        ("The faults", W80, "faults"),
        ("The next steps of the agent", W80, "plan"),
        ("The events", W80, "log"),
    ] {
        page.block(&agent, title, terminal, command);
    }
}

/// Changes that are made, and one that is only shown.
fn changes(page: &mut Page) {
    page.heading("Changes");
    let agent = page::agent(cluster(), Fixed::root());
    for (title, terminal, command) in [
        ("Before Accelerated Networking is enabled", W80, "status"),
        ("A VM too early", W80, "vm enable web01 --performance high"),
        (
            "What enabling would do",
            W80,
            "enable --intent compute --dry-run",
        ),
        (
            "Accelerated Networking is enabled",
            W80,
            "enable --intent compute --node-reserve 0",
        ),
        ("One VM", W80, "vm enable web01 --performance high"),
        (
            "Several VMs",
            W80,
            "vm enable web02 web03 --performance low",
        ),
        (
            "Several VMs, of which one is unknown",
            W80,
            "vm enable web02 web4 db01 --performance low",
        ),
        (
            "A change for a script",
            PIPE,
            "vm disable web03 --output json",
        ),
        ("A node is drained", W80, "node drain n1"),
    ] {
        page.block(&agent, title, terminal, command);
    }
    agent.fake.happens(
        EventKind::Noticed,
        "web01",
        "VM web01 was started by another program.",
    );
    page.heading("A cluster with a warning");
    for (title, terminal, command) in [
        ("The state of the cluster", W80, "status"),
        ("The health", W80, "health"),
        ("The same in colour", W80.coloured(), "health"),
        ("The faults", W80, "faults"),
        ("The same in a narrow terminal", W60, "faults"),
        ("The same in a wide terminal", W200, "faults"),
        ("The same for a script", PIPE, "faults --output json"),
        ("The nodes", W80, "node list"),
        ("The events", W80, "log --limit 2"),
    ] {
        page.block(&agent, title, terminal, command);
    }
}

#[test]
fn forty_situations_read_as_on_record() {
    let mut page = Page::new();
    without_faults(&mut page);
    changes(&mut page);
    nodes::sound_and_faulty(&mut page);
    errors::of_requests(&mut page);
    errors::of_command_lines(&mut page);
    errors::for_scripts(&mut page);
    page.is_readable();
    assert!(page.situations() >= 40, "{}", page.situations());
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/situations.golden.md");
    page.is_on_record(&file);
}
