//! `accelnet demo`: the whole system on nodes that never existed.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use super::Result;
use crate::args::Demo;
use crate::demo::cluster::{Cluster, INTENT, VMS, failed};
use crate::demo::line::Run;
use crate::demo::walk::{IN_THE_LAB, SIMULATED, walk};
use crate::session::Session;

/// Walks through the document's tasks, or keeps the cluster up.
pub fn run(args: &Demo, session: &mut Session<'_>, program: Run) -> Result {
    // Before anything is made that has to be taken away again.
    let signals = Signals::new([SIGINT, SIGTERM]);
    let mut signals = signals.map_err(|error| failed("a way to be told to end", error))?;
    session.print(SIMULATED);
    session.flush();
    let cluster = Cluster::start()?;
    if !args.serve {
        let amiss = walk(&cluster, session, program)?;
        session.print(&format!("\n{SIMULATED}{IN_THE_LAB}"));
        session.print("To type commands yourself:  accelnet demo --serve\n");
        return Ok(u8::from(amiss > 0));
    }
    cluster.prepare()?;
    let socket = cluster.socket(1);
    let names = cluster.folder().join("bin");
    let vms: Vec<String> = VMS
        .iter()
        .map(|(name, vcpus)| match vcpus {
            1 => format!("{name} (1 vCPU)"),
            vcpus => format!("{name} ({vcpus} vCPUs)"),
        })
        .collect();
    session.print(&format!(
        "\nFour nodes are up. Intent {INTENT} is completed on each; node1 has the VMs\n  {}.\n\n\
         In another terminal:\n\n\
         \x20 export ACCELNET_SOCKET={}\n\
         \x20 accelnet status\n\n\
         For the names of the document:\n\n\
         \x20 accelnet cmdlets install --dir {}\n\
         \x20 export PATH=\"{}:$PATH\"\n\
         \x20 Get-AccelNetManagementPreReq\n\n\
         The other nodes listen at {}/node2.sock to node4.sock.\n\n{IN_THE_LAB}\n\
         Press Ctrl-C to stop the demonstration and remove its files.\n",
        vms.join(", "),
        socket.display(),
        names.display(),
        names.display(),
        cluster.folder().display(),
    ));
    session.flush();
    signals.forever().next();
    Ok(0)
}
