//! Bridges, addresses and routes of a node that never existed, and a gateway that answers
//! where the cable ends.

mod apply;
mod calls;
mod guard;
mod ports;
mod state;

pub use guard::SimGuard;
pub use state::SimSwitches;
