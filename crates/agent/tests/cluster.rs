//! Several agents on one store: a real etcd that is paused, killed, compacted, cut off and full,
//! and a store in memory with a schedule of faults that can be replayed.

#[path = "cluster/etcd.rs"]
mod etcd;
#[path = "cluster/everywhere.rs"]
mod everywhere;
#[path = "cluster/faulty.rs"]
mod faulty;
#[path = "cluster/file.rs"]
mod file;
#[path = "cluster/fixture.rs"]
mod fixture;
#[path = "cluster/foreign.rs"]
mod foreign;
#[path = "cluster/garbage.rs"]
mod garbage;
#[path = "cluster/last_vf.rs"]
mod last_vf;
#[path = "cluster/liveness.rs"]
mod liveness;
#[path = "cluster/membership.rs"]
mod membership;
#[path = "cluster/names.rs"]
mod names;
#[path = "cluster/orders.rs"]
mod orders;
#[path = "cluster/received.rs"]
mod received;
#[path = "cluster/releases.rs"]
mod releases;
#[path = "cluster/replayed.rs"]
mod replayed;
#[path = "cluster/schedules.rs"]
mod schedules;
