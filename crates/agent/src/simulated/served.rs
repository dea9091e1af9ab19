//! An agent of a simulated node behind its real listeners, for tests and benchmarks.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use accelnet_api::server::RemoteOptions;
use accelnet_api::types::{Enable, IntentAdd, VmChange, VmEnable};
use accelnet_api::{Client, Server};
use accelnet_host::{Clock, SystemClock};
use accelnet_model::intent::Role;
use accelnet_model::{Code, Mac, PciAddress, Performance, Problem};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::{Embedded, History, Store};

use crate::edge::Edge;
use crate::run::{Place, Running, start};

/// Name of the node.
pub const NODE: &str = "n1";
/// The intent that [`Served::declare`] adds.
pub const INTENT: &str = "lan";
/// The adapter of a [`small`] node.
pub const ADAPTER: &str = "pf0";
/// The VM of a [`small`] node.
pub const VM: &str = "web";
/// How long its libvirt may take to answer.
const LIBVIRT_DEADLINE: Duration = Duration::from_secs(120);

/// A node below `folder` with one adapter and one VM, which is stopped.
///
/// # Errors
///
/// Something cannot be written there.
pub fn small(folder: &Path) -> io::Result<SimMachine> {
    let at = |bus, device| PciAddress {
        domain: 0,
        bus,
        device,
        function: 0,
    };
    let adapter = AdapterSpec::igb(at(1, 0), ADAPTER);
    let tree = Tree::new().port(Port::root(at(0, 1), 1, 2).adapter(adapter));
    let machine = SimMachine::boot(tree, folder)?;
    let nic = NicSpec::on_network(Mac([0x52, 0x54, 0, 0, 0, 1]), "accelnet-lan");
    let vm = DomainSpec::new(VM, 1, 4).nic(nic);
    machine.vms.add(&vm).map_err(io::Error::other)?;
    Ok(machine)
}

/// A store in memory.
///
/// # Errors
///
/// It cannot be created.
pub fn store() -> io::Result<Arc<dyn Store>> {
    let store = Embedded::in_memory(History::default(), || SystemClock.uptime());
    Ok(Arc::new(store.map_err(io::Error::other)?))
}

/// An agent that runs until this is dropped.
pub struct Served {
    running: Option<Running>,
    socket: PathBuf,
    address: Option<SocketAddr>,
}

impl Served {
    /// Serves the agent of `edge` on `folder/agent.sock`, and to the network with `remote`. Its libvirt
    /// answers when this returns.
    ///
    /// # Errors
    ///
    /// A listener cannot be created, or libvirt does not answer.
    pub fn start(
        folder: &Path,
        edge: Box<dyn Edge>,
        store: Arc<dyn Store>,
        remote: Option<&RemoteOptions>,
    ) -> Result<Self, Problem> {
        let socket = folder.join("agent.sock");
        let server = Server::bind(&socket).map_err(|error| {
            let name = socket.display().to_string();
            Problem::new(Code::FileFailed, &[&name], error.to_string())
        })?;
        let server = match remote {
            Some(remote) => server.listen(remote)?,
            None => server,
        };
        let address = server.address();
        let node = NODE.parse().map_err(|error| {
            let found = format!("{error}");
            Problem::new(Code::FileFailed, &[NODE], found)
        })?;
        let running = start(edge, Place::own(store), node, server, false)?;
        let served = Served {
            running: Some(running),
            socket,
            address,
        };
        served.await_vms()?;
        Ok(served)
    }

    /// An agent connects to libvirt after it begins to answer.
    fn await_vms(&self) -> Result<(), Problem> {
        let client = self.root();
        let begun = SystemClock.uptime();
        loop {
            match client.vms_of(Some(NODE)) {
                Ok(_) => return Ok(()),
                Err(problem) if SystemClock.uptime() - begun > LIBVIRT_DEADLINE => {
                    return Err(problem);
                }
                Err(_) => SystemClock.sleep(Duration::from_millis(20)),
            }
        }
    }

    /// Its socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The address of its network listener.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// A client of its socket.
    pub fn root(&self) -> Client {
        Client::new(&self.socket)
    }

    /// Adds the intent of a [`small`] node, enables management, and accelerates the VM.
    ///
    /// # Errors
    ///
    /// The agent refuses.
    pub fn declare(&self) -> Result<(), Problem> {
        let root = self.root();
        root.intent_add(&IntentAdd {
            name: INTENT.to_owned(),
            roles: vec![Role::Compute],
            adapters: vec![ADAPTER.to_owned()],
            vfs: None,
            trust: None,
            spoof_check: None,
            dry_run: false,
        })?;
        root.enable(&Enable {
            intent: INTENT.to_owned(),
            node_reserve_percentage: Some(0),
            ..Enable::default()
        })?;
        let changed = root.vms_change(&VmChange::Enable(VmEnable {
            names: vec![VM.to_owned()],
            performance: Performance::Low,
            now: false,
            add_nic: false,
            dry_run: false,
            mac: None,
            trust: None,
            spoof_check: None,
        }))?;
        let refused = changed.results.into_iter().find_map(|one| one.problem);
        refused.map_or(Ok(()), Err)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stopper().stop();
            running.wait();
        }
    }
}
