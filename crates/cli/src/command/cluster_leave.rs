//! `accelnet cluster leave`: takes a node out of its cluster.

use std::time::Duration;

use accelnet_agent::cluster::{LEASE, membership};
use accelnet_model::{Code, Problem};

use super::setup::steps::needs_root;
use super::{Result, etcd, service};
use crate::args::ClusterLeave;
use crate::session::Session;

/// What etcd may take longer than a lease to end it.
const SLACK: Duration = Duration::from_secs(4);

/// Takes it out.
pub fn run(args: &ClusterLeave, session: &mut Session<'_>) -> Result {
    if !args.dry_run {
        needs_root(session.system)?;
    }
    let Some(settings) = service::settings(session.system)? else {
        let found = format!("{} names no etcd.", service::FILE);
        return Err(Problem::new(Code::NotAMember, &[], found));
    };
    let store = etcd::open(&settings.store, &settings.tls)?;
    let name = settings.store.to_string();
    if let Some(node) = &args.node {
        session.print(&format!("forget node {node}\n"));
        membership::leave(store, &name, node.as_str(), args.dry_run)?;
        session.changed = !args.dry_run;
        return Ok(0);
    }
    let node = service::node_name(settings.node.as_ref(), session)?;
    service::stop(args.dry_run, session)?;
    session.print(&format!(
        "forget node {node}, when its last heartbeat is over\n"
    ));
    if args.dry_run {
        return Ok(0);
    }
    session.host.clock.sleep(LEASE + SLACK);
    if let Err(problem) = membership::leave(store, &name, node.as_str(), false) {
        // It stays what it was.
        service::use_store(Some(&settings), false, session)?;
        return Err(problem);
    }
    service::use_store(None, false, session)?;
    session
        .print("This node left the cluster and is a cluster of one. VMs and VFs are unchanged.\n");
    Ok(0)
}
