//! Four nodes that never existed, each with a real agent.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use accelnet_agent::run::{Place, Running, start};
use accelnet_agent::simulated::Simulated;
use accelnet_api::types::IntentAdd;
use accelnet_api::{Client, Server};
use accelnet_host::{Clock, SystemClock};
use accelnet_model::intent::{IntentState, Role};
use accelnet_model::{Code, Mac, PciAddress, Problem};
use accelnet_sim::{AdapterSpec, DomainSpec, NicSpec, Port, SimMachine, Tree};
use accelnet_store::{Embedded, History, Store};
use tempfile::TempDir;

/// Nodes of the cluster.
pub const NODES: u8 = 4;
/// The intent of the document.
pub const INTENT: &str = "MyIntent";
/// VMs of the first node, with their vCPUs.
pub const VMS: &[(&str, u32)] = &[
    ("MyVM", 8),
    ("MyVM01", 4),
    ("MyVM02", 4),
    ("db01", 8),
    ("small", 1),
    ("web01", 4),
    ("web02", 4),
];
/// How long all nodes may take to bring an intent about.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cluster that runs until this is dropped.
pub struct Cluster {
    // Agents end before their folder goes.
    agents: Vec<Option<Running>>,
    nodes: Vec<SimMachine>,
    folder: TempDir,
}

/// Why there is no cluster.
pub fn failed(what: &str, error: impl std::fmt::Display) -> Problem {
    Problem::new(Code::FileFailed, &[what], "The demonstration needs it.").cause(error.to_string())
}

impl Cluster {
    /// Starts the agents of all nodes, with nothing declared.
    ///
    /// # Errors
    ///
    /// No room for files and sockets.
    pub fn start() -> Result<Self, Problem> {
        Cluster::start_on(|_, store| Place::shared(store))
    }

    /// The same with agents that reach the store by the place that `place` makes of a node's name.
    ///
    /// # Errors
    ///
    /// As [`Cluster::start`].
    pub fn start_on(mut place: impl FnMut(&str, Arc<dyn Store>) -> Place) -> Result<Self, Problem> {
        let folder = tempfile::Builder::new().prefix("accelnet-demo-").tempdir();
        let folder = folder.map_err(|error| failed("a temporary folder", error))?;
        let file = folder.path().join("store");
        let store = Embedded::open(&file, History::default(), || SystemClock.uptime());
        let store: Arc<dyn Store> = Arc::new(store.map_err(|error| failed("the store", error))?);
        let mut cluster = Cluster {
            agents: Vec::new(),
            nodes: Vec::new(),
            folder,
        };
        for number in 1..=NODES {
            let name = format!("node{number}");
            let root = cluster.folder.path().join(&name);
            let machine = boot(number, &root).map_err(|error| failed(&name, error))?;
            let server = Server::bind(&cluster.socket(number));
            let server = server.map_err(|error| failed("a socket", error))?;
            let edge = Simulated::new(machine.clone()).in_real_time();
            let place = place(&name, store.clone());
            let node = name.parse().map_err(|error| failed(&name, error))?;
            let agent = start(Box::new(edge), place, node, server, false)?;
            cluster.nodes.push(machine);
            cluster.agents.push(Some(agent));
        }
        cluster.define_vms()?;
        Ok(cluster)
    }

    /// Where the agent of a node listens.
    pub fn socket(&self, number: u8) -> PathBuf {
        self.folder.path().join(format!("node{number}.sock"))
    }

    /// The folder that all of it is in.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Asks the agent of the first node.
    pub fn client(&self) -> Client {
        self.client_of(1)
    }

    /// Asks the agent of a node.
    pub fn client_of(&self, number: u8) -> Client {
        Client::new(self.socket(number))
    }

    /// Ends the agent of a node.
    #[cfg(test)]
    pub fn stop(&mut self, number: u8) {
        end(&mut self.agents[usize::from(number) - 1]);
    }

    /// The first node itself.
    pub fn node(&self) -> &SimMachine {
        &self.nodes[0]
    }

    /// Declares the intent and starts the VM of the document: the state of a fresh cluster.
    ///
    /// # Errors
    ///
    /// A node did not bring it about.
    pub fn prepare(&self) -> Result<(), Problem> {
        self.client().intent_add(&IntentAdd {
            name: INTENT.to_owned(),
            roles: vec![Role::Compute],
            adapters: vec!["ens1".to_owned()],
            vfs: None,
            dry_run: false,
            trust: None,
            spoof_check: None,
        })?;
        self.await_intent()?;
        self.run("MyVM")
    }

    /// Waits until the intent is completed on every node.
    ///
    /// # Errors
    ///
    /// It is not within a minute.
    pub fn await_intent(&self) -> Result<(), Problem> {
        let begun = SystemClock.uptime();
        loop {
            let view = self.client().intent(INTENT)?;
            let done = |status: &&_| {
                let status: &accelnet_model::intent::IntentStatus = status;
                status.state == IntentState::Completed
            };
            if view.status.iter().filter(done).count() == usize::from(NODES) {
                return Ok(());
            }
            if SystemClock.uptime().saturating_sub(begun) > PATIENCE {
                let found = format!("{:?}", view.status);
                return Err(Problem::new(
                    Code::IntentNotApplied,
                    &[INTENT, "all nodes"],
                    found,
                ));
            }
            SystemClock.sleep(Duration::from_millis(50));
        }
    }

    /// A user starts a VM, as with `virsh start`.
    ///
    /// # Errors
    ///
    /// Its libvirt refuses.
    pub fn run(&self, vm: &str) -> Result<(), Problem> {
        let started = self.node().vms.virsh_start(vm);
        started.map_err(|error| failed(vm, error))
    }

    fn define_vms(&self) -> Result<(), Problem> {
        let network = format!("accelnet-{INTENT}");
        for (number, (name, vcpus)) in (1_u8..).zip(VMS) {
            let mac = Mac([0x52, 0x54, 0, 0xde, 0x30, number]);
            let nic = NicSpec::on_network(mac, &network);
            let spec = DomainSpec::new(name, number.into(), *vcpus).nic(nic);
            // One is ready for failover: it gets its VF while it runs.
            let xml = match *name == "MyVM" {
                true => spec.xml().replacen(
                    "<model type='virtio'/>",
                    "<model type='virtio'/>\n      <teaming type='persistent'/>\n      \
                     <alias name='ua-nic0'/>",
                    1,
                ),
                false => spec.xml(),
            };
            let defined = accelnet_host::Vms::define(&self.node().vms, &xml);
            defined.map_err(|error| failed(name, error))?;
        }
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.agents.iter_mut().for_each(end);
    }
}

/// Ends an agent that runs.
fn end(agent: &mut Option<Running>) {
    if let Some(agent) = agent.take() {
        agent.stopper().stop();
        agent.wait();
    }
}

/// A server with two adapters; the first carries its address.
fn boot(number: u8, root: &std::path::Path) -> io::Result<SimMachine> {
    let at = |bus, device| PciAddress {
        domain: 0,
        bus,
        device,
        function: 0,
    };
    let bus = number * 16;
    let fast = AdapterSpec::mlx5(at(bus, 0), "ens1").sriov(|sriov| {
        sriov.hardware_vfs = 8;
        sriov.total_vfs = 8;
        sriov.vf_msix_vectors = 8;
        sriov.vf_total_msix = Some(64);
    });
    let plain = AdapterSpec::igb(at(bus + 8, 0), "ens2");
    let tree = Tree::new()
        .platform(|platform| platform.host_name = format!("node{number}"))
        .port(Port::root(at(0, 1), bus, bus + 1).adapter(fast))
        .port(Port::root(at(0, 2), bus + 8, bus + 9).adapter(plain));
    std::fs::create_dir_all(root)?;
    let machine = SimMachine::boot(tree, root)?;
    let ip = [192, 0, 2, 10 + number].into();
    let gateway = [192, 0, 2, 1].into();
    machine.switches.address("ens1", ip, 24, Some(gateway));
    Ok(machine)
}
