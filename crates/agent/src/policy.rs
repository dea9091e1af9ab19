//! The policy of a cluster: what administrators requested, in the store.

mod change;
mod content;
mod documents;
mod keys;
mod request;
mod store;

pub(crate) use change::Change;
pub use content::Policy;
pub(crate) use documents::judge;
pub(crate) use keys::{POLICY, drained_key};
pub use request::Disruption;
pub(crate) use request::{Action, Request};
pub use store::PolicyStore;
