//! Intents on this node: planned, applied, withdrawn.

pub(crate) mod elsewhere;
pub(crate) mod executor;
pub(crate) mod host_network;
pub(crate) mod last_applied;
pub(crate) mod reconciler;
pub(crate) mod statuses;
pub(crate) mod switch;

pub(crate) use reconciler::IntentReconciler;
pub(crate) use statuses::Statuses;
