//! The mind of an agent over nodes that never existed: what it does, refuses and mends, what
//! is left when a step fails, and what becomes of it when it is killed.

#[path = "core/audit.rs"]
mod audit;
#[path = "core/bench.rs"]
mod bench;
#[path = "core/bonds.rs"]
mod bonds;
#[path = "core/capacity.rs"]
mod capacity;
#[path = "core/definitions.rs"]
mod definitions;
#[path = "core/drift.rs"]
mod drift;
#[path = "core/elements.rs"]
mod elements;
#[path = "core/evidence.rs"]
mod evidence;
#[path = "core/firewall.rs"]
mod firewall;
#[path = "core/fitness.rs"]
mod fitness;
#[path = "core/formats.rs"]
mod formats;
#[path = "core/host_network.rs"]
mod host_network;
#[path = "core/intents.rs"]
mod intents;
#[path = "core/invariants.rs"]
mod invariants;
#[path = "core/journal.rs"]
mod journal;
#[path = "core/kills.rs"]
mod kills;
#[path = "core/management.rs"]
mod management;
#[path = "core/many.rs"]
mod many;
#[path = "core/moves.rs"]
mod moves;
#[path = "core/orders.rs"]
mod orders;
#[path = "core/random.rs"]
mod random;
#[path = "core/reach.rs"]
mod reach;
#[path = "core/refusals.rs"]
mod refusals;
#[path = "core/security.rs"]
mod security;
#[path = "core/unreadable.rs"]
mod unreadable;
#[path = "core/vms.rs"]
mod vms;
#[path = "core/vnics.rs"]
mod vnics;
