//! A store and an edge that record each change once they are frozen, and then refuse it where they can.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use accelnet_agent::Edge;
use accelnet_agent::simulated::Simulated;
use accelnet_host::knobs::LockError;
use accelnet_host::switch::Switches;
use accelnet_host::switch::guard::Guard;
use accelnet_host::{Host, Knobs, Links, Lock, Vms};
use accelnet_model::adapter::EswitchMode;
use accelnet_model::link::{Channels, DriverInfo, Link};
use accelnet_model::vf::VfSettings;
use accelnet_model::vf_plan::Refusal;
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{FdbEntry, NetlinkError, VfChange};
use accelnet_pci::LockedRead;
use accelnet_sim::{SimKernel, SimMachine};
use accelnet_store::{Commit, Entry, Lease, LeaseId, Range, Store, StoreError, Txn, Watch};

/// What was changed since it was closed.
#[derive(Default)]
pub struct Freeze {
    store: AtomicBool,
    edge: AtomicBool,
    broken: Mutex<Vec<String>>,
    commits: AtomicUsize,
}

impl Freeze {
    /// Nothing may change any more.
    pub fn close(&self) {
        self.store.store(true, Ordering::SeqCst);
        self.close_edge();
    }

    /// Only the store may change.
    pub fn close_edge(&self) {
        self.edge.store(true, Ordering::SeqCst);
    }

    /// Everything may change.
    pub fn open(&self) {
        self.store.store(false, Ordering::SeqCst);
        self.edge.store(false, Ordering::SeqCst);
        self.broken.lock().expect("no panic").clear();
    }

    /// What was changed all the same.
    pub fn broken(&self) -> Vec<String> {
        self.broken.lock().expect("no panic").clone()
    }

    /// Commits so far.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::SeqCst)
    }

    fn effect(&self, what: &str) {
        if self.edge.load(Ordering::SeqCst) {
            self.note(what);
        }
    }

    fn note(&self, what: &str) {
        self.broken.lock().expect("no panic").push(what.to_owned());
    }
}

/// A store.
pub struct FrozenStore {
    pub store: Arc<dyn Store>,
    pub freeze: Arc<Freeze>,
}

impl FrozenStore {
    fn may(&self, what: &str) -> Result<(), StoreError> {
        if !self.freeze.store.load(Ordering::SeqCst) {
            return Ok(());
        }
        self.freeze.note(what);
        Err(StoreError::CutOff {
            store: "a frozen store".to_owned(),
            found: format!("it takes no {what}"),
        })
    }
}

impl Store for FrozenStore {
    fn get(&self, key: &str) -> Result<Option<Entry>, StoreError> {
        self.store.get(key)
    }

    fn range(&self, prefix: &str) -> Result<Range, StoreError> {
        self.store.range(prefix)
    }

    fn commit(&self, txn: &Txn) -> Result<Commit, StoreError> {
        self.may("commit")?;
        self.freeze.commits.fetch_add(1, Ordering::SeqCst);
        self.store.commit(txn)
    }

    fn watch(&self, prefix: &str, from: u64) -> Result<Box<dyn Watch>, StoreError> {
        self.store.watch(prefix, from)
    }

    fn compact(&self, revision: u64) -> Result<(), StoreError> {
        self.may("compact")?;
        self.store.compact(revision)
    }

    fn grant(&self, ttl: Duration) -> Result<Lease, StoreError> {
        self.may("grant")?;
        self.store.grant(ttl)
    }

    fn keep_alive(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.may("keep_alive")?;
        self.store.keep_alive(lease)
    }

    fn revoke(&self, lease: LeaseId) -> Result<(), StoreError> {
        self.may("revoke")?;
        self.store.revoke(lease)
    }
}

/// The kernel of a simulated node.
#[derive(Clone)]
struct FrozenKernel {
    kernel: Arc<SimKernel>,
    freeze: Arc<Freeze>,
}

/// The edge of a simulated node, whose switches and libvirt record their changes by themselves.
pub struct FrozenEdge {
    inner: Simulated,
    kernel: FrozenKernel,
}

impl FrozenEdge {
    pub fn new(machine: SimMachine, freeze: Arc<Freeze>) -> Self {
        FrozenEdge {
            kernel: FrozenKernel {
                kernel: machine.kernel.clone(),
                freeze,
            },
            inner: Simulated::new(machine),
        }
    }

    /// With the system's clock, which an agent behind a socket needs.
    pub fn in_real_time(mut self) -> Self {
        self.inner = self.inner.in_real_time();
        self
    }
}

impl Edge for FrozenEdge {
    fn host(&self) -> Host<'_> {
        Host {
            links: &self.kernel,
            knobs: &self.kernel,
            ..self.inner.host()
        }
    }

    fn vms(&self) -> &dyn Vms {
        self.inner.vms()
    }

    fn switches(&self) -> &dyn Switches {
        self.inner.switches()
    }

    fn responder_links(&self) -> Arc<dyn Links + Send + Sync> {
        Arc::new(self.kernel.clone())
    }

    fn guard(&self) -> &dyn Guard {
        self.inner.guard()
    }

    fn hook_configs(&self) -> &Path {
        self.inner.hook_configs()
    }

    fn is_simulated(&self) -> bool {
        true
    }

    fn failpoint(&self, step: &str) {
        self.kernel.freeze.effect(&format!("step {step}"));
    }
}

impl LockedRead for FrozenKernel {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        self.kernel.read(paths)
    }
}

impl Knobs for FrozenKernel {
    fn lock(&self, address: PciAddress, note: &str) -> Result<Lock, LockError> {
        self.freeze.effect(&format!("lock {address}"));
        self.kernel.lock(address, note)
    }

    fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        self.freeze.effect(&format!("write {path}"));
        Knobs::write(&*self.kernel, lock, path, value, within, waiting)
    }

    fn hold(&self, path: &str) -> io::Result<File> {
        self.kernel.hold(path)
    }
}

impl Links for FrozenKernel {
    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        self.kernel.links()
    }

    fn links_in(&self, file: &Path) -> Result<Vec<Link>, NetlinkError> {
        self.kernel.links_in(file)
    }

    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError> {
        self.kernel.vf_settings(link)
    }

    fn set_vf(
        &self,
        index: u32,
        vf: u32,
        change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        self.freeze.effect("set a VF");
        self.kernel.set_vf(index, vf, change)
    }

    fn take_in(&self, index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError> {
        self.freeze.effect("take an address in");
        self.kernel.take_in(index, mac, on)
    }

    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError> {
        self.kernel.fdb()
    }

    fn unlearn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
        self.freeze.effect("unlearn an address");
        self.kernel.unlearn(port, mac, vlan)
    }

    fn learn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
        self.freeze.effect("learn an address");
        self.kernel.learn(port, mac, vlan)
    }

    fn set_learning(&self, port: u32, on: bool) -> Result<(), NetlinkError> {
        self.freeze.effect("set learning");
        self.kernel.set_learning(port, on)
    }

    fn driver_info(&self, name: &str) -> io::Result<DriverInfo> {
        self.kernel.driver_info(name)
    }

    fn channels(&self, name: &str) -> io::Result<Option<Channels>> {
        self.kernel.channels(name)
    }

    fn eswitch_mode(&self, address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
        self.kernel.eswitch_mode(address)
    }
}
