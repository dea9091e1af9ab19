//! A virtual switch on the running kernel, in network namespaces: planned, handed what the
//! node needs, checked, taken back; with the real program as guard.

#[path = "../../netlink/tests/support/mod.rs"]
mod support;

#[path = "switch/advertised.rs"]
mod advertised;
#[path = "switch/bench.rs"]
mod bench;
#[path = "switch/death.rs"]
mod death;
#[path = "switch/life.rs"]
mod life;
#[path = "switch/taken_back.rs"]
mod taken_back;
