//! Orders: changes of VMs on another node than the one that received the request.
//!
//! 1. The agent that received the request, the asker, finds the VMs in the reports of all nodes, changes its own, and writes an order for each
//!    other node at `nodes/NODE/orders/ID`: the request, the caller with role and origin, and its own name.
//! 2. The order is bound to the lease of that agent: an order that no caller waits for ends with it, and the end of
//!    the caller's connection withdraws it.
//! 3. The agent of NODE watches its orders, and takes one by compare-and-swap when the engine has time for it. It
//!    checks the role again and runs the function that a local request runs: same admission, same audit.
//! 4. The request in the middle of which a node is (`nodes/NODE/request`) has the id of its order. The event of
//!    the request and the outcomes in the order are one transaction, so nothing is carried out twice.
//! 5. An agent that finds an order taken, without request and without outcomes, answers that nothing was changed.
//! 6. The asker watches for the answer, and removes it. An order that is not taken in time is withdrawn by
//!    compare-and-swap: nothing was changed. One that is taken and not answered may still be carried out.
//! 7. Only the asker measures time. No clocks of two nodes are compared, and an idle agent polls nothing.
//! 8. What cannot be parsed is skipped, and named as `store_value_unreadable`. Requests for a node that wait are
//!    limited for each caller, and orders that wait for the engine are limited on each node.

mod asker;
mod order;
mod problems;
mod round;
mod send;
mod split;
mod watcher;

pub(crate) use asker::Asker;
pub(crate) use order::{Order, Orders, is_order, orders_of};
pub use problems::{not_taken, unanswered};
pub(crate) use send::PartOfNode;
pub(crate) use split::{Parts, is_dry_run, mean_one_of, names_of, refused, with_names};
pub(crate) use watcher::{carry_out_all, watch_orders};
