//! Orders: changes of VMs that are on another node than the one that is asked.
//!
//! 1. The asked agent finds the VMs in the reports of all nodes, changes its own, and writes an order for each
//!    other node at `nodes/NODE/orders/ID`: the request, the caller with role and origin, and its own name.
//! 2. The order is bound to the lease of that agent: an order that no caller waits for ends with it, and a caller
//!    who hangs up withdraws it.
//! 3. The agent of NODE watches its orders, and takes one by compare-and-swap when the engine has time for it. It
//!    checks the role again and runs the function that a local request runs: same admission, same audit.
//! 4. The request in the middle of which a node is (`nodes/NODE/request`) has the id of its order. The event of
//!    the request and the outcomes in the order are one transaction, so nothing is carried out twice.
//! 5. An agent that finds an order taken, without request and without outcomes, answers that nothing was changed.
//! 6. The asked agent watches for the answer, and removes it. An order that is not taken in time is withdrawn by
//!    compare-and-swap: nothing was changed. One that is taken and not answered may still be carried out.
//! 7. Only the asked agent measures time. No clocks of two nodes are compared, and an idle agent polls nothing.
//! 8. What cannot be parsed is skipped, and named as `store_value_unreadable`. Requests for a node that wait are
//!    limited for each caller, and orders that wait for the engine are limited on each node.

mod asking;
mod order;
mod parting;
mod round;
mod taking;

use std::time::Duration;

use accelnet_model::{Code, Problem};

pub(crate) use asking::Asker;
pub(crate) use order::{Orders, is_order, judge, orders_of};
pub(crate) use taking::listen;

/// How long a node has to take an order before it is withdrawn.
pub const TAKE_WITHIN: Duration = Duration::from_secs(30);
/// How long a node that took an order has to answer it. A client waits three times as long.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(10 * 60);

/// That `node` did not take an order in time; `found` says what is known of it.
pub fn not_taken(node: &str, found: &str) -> Problem {
    Problem::new(Code::RequestNotTaken, &[node], found)
}

/// That `node` took an order and has not answered it.
pub fn unanswered(node: &str, found: &str) -> Problem {
    Problem::new(Code::RequestUnanswered, &[node], found)
}
