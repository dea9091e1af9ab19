//! An agent in memory, for tests: it keeps what it was asked, and answers as an agent would,
//! without a host.

mod answers;
mod serving;
mod state;

pub use serving::{Fixed, Serving};
pub use state::Fake;
