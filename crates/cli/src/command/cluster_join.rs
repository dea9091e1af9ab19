//! `accelnet cluster init` and `accelnet cluster join`.

use accelnet_agent::cluster::membership;

use super::service::{self, Settings};
use super::setup::steps::{needs_root, remove};
use super::{Result, etcd};
use crate::args::{ClusterStore, REMEMBERED};
use crate::session::Session;

/// Creates a cluster, and starts the agent in it.
pub fn init(args: &ClusterStore, session: &mut Session<'_>) -> Result {
    if !args.dry_run {
        needs_root(session.system)?;
    }
    let store = etcd::open(&args.store, &args.tls)?;
    // Refused before the cluster is created, and not when the agent starts.
    service::node_name(args.node.as_ref(), session)?;
    let name = args.store.to_string();
    let now = session.host.clock.now();
    membership::create(&*store, &name, &now, args.dry_run)?;
    session.changed = !args.dry_run;
    session.print(&format!("create a cluster on {name}\n"));
    start(args, session)
}

/// Joins a cluster, and starts the agent in it.
pub fn join(args: &ClusterStore, session: &mut Session<'_>) -> Result {
    if !args.dry_run {
        needs_root(session.system)?;
    }
    let store = etcd::open(&args.store, &args.tls)?;
    let node = service::node_name(args.node.as_ref(), session)?;
    let name = args.store.to_string();
    membership::may_join(&*store, &name, node.as_str())?;
    membership::is_readable(store, node.as_str())?;
    session.print(&format!("join the cluster on {name} as {node}\n"));
    start(args, session)
}

fn start(args: &ClusterStore, session: &mut Session<'_>) -> Result {
    let settings = Settings {
        store: args.store.clone(),
        tls: args.tls.clone(),
        node: args.node.clone(),
    };
    if !args.dry_run {
        // What was read of another cluster's store does not describe this one.
        drop(remove(session.system, REMEMBERED));
    }
    service::use_store(Some(&settings), args.dry_run, session)?;
    if !args.dry_run {
        session.print("Done. 'accelnet node list' shows the nodes.\n");
    }
    Ok(0)
}
