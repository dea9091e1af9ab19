//! An etcd server for tests, and a wire to it that can be cut.

mod proxy;
mod server;
mod wait;

pub use proxy::Proxy;
pub use server::EtcdServer;
pub use wait::{until, wait};
