//! The capacity of adapters and of the cluster: what is reserved for VMs and what is free.

pub(crate) mod adapters;
pub(crate) mod cached;
pub(crate) mod cluster;

pub(crate) use adapters::AdapterCapacity;
pub(crate) use cached::CachedCluster;
pub(crate) use cluster::{ClusterState, Inputs, OwnAdapters};
