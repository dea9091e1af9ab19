//! The API of an agent: what can be asked, what is answered, and the way between.
//!
//! [`types`] are the requests and answers; their JSON is stable. [`Service`] is what an agent
//! does with them.

pub mod service;
pub mod types;

pub use service::{Caller, Service};
