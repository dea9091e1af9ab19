//! One node among several: the way to the common store, and who else is there.

pub mod link;
mod liveness;
pub mod membership;
pub mod nodes;
mod remembered;

pub use link::{CutOff, Link, Linked};
pub use liveness::{BEAT, LEASE};
pub(crate) use liveness::{Liveness, watch_others};
