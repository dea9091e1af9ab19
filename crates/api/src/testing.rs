//! An agent in memory, for tests: it keeps what it was asked, and answers as an agent would,
//! without a host.

mod answers;
mod certificates;
mod samples;
mod serving;
mod state;

pub use certificates::{Authority, Certified};
pub use serving::{Fixed, Serving};
pub use state::Fake;
