//! The agent as the API uses it.

mod agent;
mod api;
mod rarely_read;
mod vm_requests;

pub use agent::Agent;
pub(crate) use rarely_read::RarelyRead;
