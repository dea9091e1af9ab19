//! Threads that watch the node and its store, and put messages into the inbox of the engine.

mod kernel;
mod libvirt;
mod policy;
mod thread;

pub(crate) use kernel::{watch_bridges, watch_kernel};
pub(crate) use libvirt::watch_libvirt;
pub(crate) use policy::watch_policy;
pub(crate) use thread::{INTERVAL, STORE_RETRY, watch};
