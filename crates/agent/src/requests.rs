//! Requests of callers: evaluated, decided in the store, carried out, answered.

pub(crate) mod adapters;
pub(crate) mod drain;
pub(crate) mod intents;
pub(crate) mod management;
pub(crate) mod plan;
pub(crate) mod vms;
