//! An agent on simulated nodes: what it does, refuses and repairs, what
//! is left when a step fails, and what becomes of it when it is killed.

#[path = "node/audit.rs"]
mod audit;
#[path = "node/bonds.rs"]
mod bonds;
#[path = "node/capacity.rs"]
mod capacity;
#[path = "node/definitions.rs"]
mod definitions;
#[path = "node/drift.rs"]
mod drift;
#[path = "node/elements.rs"]
mod elements;
#[path = "node/evidence.rs"]
mod evidence;
#[path = "node/firewall.rs"]
mod firewall;
#[path = "node/fitness.rs"]
mod fitness;
#[path = "node/fixture.rs"]
mod fixture;
#[path = "node/formats.rs"]
mod formats;
#[path = "node/host_network.rs"]
mod host_network;
#[path = "node/intents.rs"]
mod intents;
#[path = "node/invariants.rs"]
mod invariants;
#[path = "node/journal.rs"]
mod journal;
#[path = "node/kills.rs"]
mod kills;
#[path = "node/management.rs"]
mod management;
#[path = "node/many.rs"]
mod many;
#[path = "node/moves.rs"]
mod moves;
#[path = "node/orders.rs"]
mod orders;
#[path = "node/random.rs"]
mod random;
#[path = "node/reach.rs"]
mod reach;
#[path = "node/refusals.rs"]
mod refusals;
#[path = "node/security.rs"]
mod security;
#[path = "node/unreadable.rs"]
mod unreadable;
#[path = "node/vms.rs"]
mod vms;
#[path = "node/vnics.rs"]
mod vnics;
