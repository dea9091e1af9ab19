//! How answers look to people.

mod adapter;
mod adapters;
mod aged;
mod capacity;
mod changed;
mod checks;
mod clean;
pub mod documentation;
mod entries;
mod events;
mod faults;
mod folded;
mod intents;
mod last_reports;
mod management;
mod node;
mod nodes;
mod problem;
mod progress;
mod shared;
mod status;
mod table;
mod values;
mod vms;
mod waiting;
mod words;

pub use adapter::adapter;
pub use adapters::{adapter_in_brief, adapters, adapters_of_nodes};
pub use aged::aged;
pub use capacity::capacity;
pub use changed::changed;
pub use checks::checks;
pub use clean::{clean, written};
pub use entries::{entries, entry, severity};
pub use events::{event, plan};
pub use faults::{Health, faults, health};
pub use folded::folded;
pub use intents::{intent, intent_changed, intent_status, intents, not_applied_yet};
pub use management::management_changed;
pub use node::node;
pub use nodes::{drained, is_drained, node_report, nodes};
pub use problem::{clause, labelled, problem};
pub use progress::ProgressLine;
pub use shared::{Refused, problem_of, problems};
pub use status::status;
use values::{shown, shown_or};

pub use vms::{vm, vm_result, vms, vms_unchanged, vnics};
pub use waiting::Waiting;

/// Rows of plain cells under a heading.
pub fn rows<'a>(
    heading: &[&str],
    rows: impl Iterator<Item = [&'a str; 3]>,
    session: &crate::session::Session<'_>,
) -> String {
    let mut table = table::Table::new(heading, session.colour, session.width);
    for row in rows {
        table.row(row);
    }
    table.text()
}
