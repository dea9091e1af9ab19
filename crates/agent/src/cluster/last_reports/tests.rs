use std::cell::Cell;

use super::*;
use crate::cluster::Why;

const AT: &str = "2026-01-01T00:00:00Z";
const SINCE: &str = "2026-01-02T00:00:00Z";

/// A clock that a test moves.
#[derive(Default)]
struct Moved(Cell<u64>);

impl Clock for Moved {
    fn now(&self) -> String {
        AT.to_owned()
    }

    fn uptime(&self) -> Duration {
        Duration::from_secs(self.0.get())
    }

    fn sleep(&self, _: Duration) {}
}

fn node(name: &str, down_since: Option<&str>) -> NodeState {
    NodeState {
        name: name.to_owned(),
        version: None,
        joined_at: None,
        up_since: None,
        down_since: down_since.map(str::to_owned),
    }
}

/// The last report of `name`, as node1 judges it: its age and why it is not current.
fn judged(
    last_reports: &LastReports,
    nodes: &[NodeState],
    cut_off: Option<u64>,
    clock: &Moved,
    name: &str,
) -> Option<(u64, String)> {
    let from = Standpoint {
        own: "node1",
        nodes,
        cut_off: cut_off.map(|uptime| CutOff {
            since: SINCE.to_owned(),
            found: String::new(),
            why: Why::Silent,
            uptime: Duration::from_secs(uptime),
        }),
        last_reports,
        clock,
    };
    let last = from.last_report(&Report::empty(name, AT))?;
    assert_eq!(last.at, AT);
    Some((last.seconds_ago, last.reason))
}

#[test]
fn a_report_is_as_old_as_this_node_knows_that_it_is_not_current() {
    let (all, clock) = (LastReports::default(), Moved::default());
    let judge = |nodes: &[NodeState], cut_off| judged(&all, nodes, cut_off, &clock, "node2");
    let is_down = format!("node2 is down since {SINCE}");
    let down = [node("node1", None), node("node2", Some(SINCE))];
    clock.0.set(100);
    all.observe(&down, clock.uptime());
    assert_eq!(judge(&down, None), Some((0, is_down.clone())));
    clock.0.set(160);
    all.observe(&down, clock.uptime());
    assert_eq!(judge(&down, None), Some((60, is_down.clone())));
    let up = [node("node1", None), node("node2", None)];
    all.observe(&up, clock.uptime());
    assert_eq!(judge(&up, None), None);
    clock.0.set(200);
    all.observe(&down, clock.uptime());
    assert_eq!(judge(&down, None), Some((0, is_down)));
    let cut_off = format!("node1 is cut off from the store since {SINCE}");
    assert_eq!(judge(&up, Some(150)), Some((50, cut_off)));
}

#[test]
fn the_own_report_is_current() {
    let (all, clock) = (LastReports::default(), Moved::default());
    let nodes = [node("node1", Some(SINCE))];
    assert_eq!(judged(&all, &nodes, Some(0), &clock, "node1"), None);
}

#[test]
fn a_node_that_never_sent_a_heartbeat_is_down_without_a_time() {
    let (all, clock) = (LastReports::default(), Moved::default());
    let nodes = [node("node2", Some(""))];
    let judged = judged(&all, &nodes, None, &clock, "node2");
    assert_eq!(judged, Some((0, "node2 is down".to_owned())));
}
