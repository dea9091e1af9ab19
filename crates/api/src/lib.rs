//! The API of an agent: what can be asked, what is answered, and the way between.
//!
//! [`types`] are the requests and answers; their JSON is stable. [`Service`] is what an agent
//! does with them, [`server`] serves it on a Unix socket and, where it is told to, with mutual
//! TLS; [`client`] asks. [`routes`] is the list of endpoints: the router, the client and the
//! OpenAPI document are made from it.

pub mod client;
mod document;
mod limits;
mod pem;
mod role;
pub mod routes;
#[cfg(feature = "schema")]
pub mod schema;
pub mod server;
pub mod service;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod types;

pub use client::Client;
pub use document::OPENAPI;
pub use role::Role;
pub use server::Server;
pub use service::{Answer, ApiEvent, Caller, News, Service, answered};
