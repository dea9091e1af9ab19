//! The kernel of a node that never existed: what it does on a write of a knob, with faults
//! where the real ones are.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use accelnet_host::{CopiedRulesets, Links, Lock};
use accelnet_model::vf::VfSettings;
use accelnet_model::vf_plan::Refusal;
use accelnet_model::{Mac, PciAddress};
use accelnet_pci::Root;

use crate::clock::Time;
use crate::fault::Fault;
use crate::mutex::held;
use crate::tree::SimNode;

const EIO: i32 = 5;
const EACCES: i32 = 13;
const EINVAL: i32 = 22;
const EROFS: i32 = 30;

/// How long the kernel takes for one VF.
const FOR_ONE_VF: Duration = Duration::from_millis(40);

/// A kernel over a tree.
#[derive(Debug)]
pub struct SimKernel {
    node: RwLock<SimNode>,
    pub(crate) root: Root,
    pub(crate) rulesets: CopiedRulesets,
    pub(crate) time: Time,
    fault: Mutex<Option<Fault>>,
    late: Mutex<Option<Late>>,
    tried: Mutex<Option<Tried>>,
    stuck: Mutex<Option<Stuck>>,
    /// What was set of VFs, by their adapter and number.
    pub(crate) settings: Mutex<BTreeMap<(PciAddress, u32), VfSettings>>,
    /// What links take in beside their own MAC, by name.
    pub(crate) taken_in: Mutex<BTreeSet<(String, Mac)>>,
    /// How many MACs an adapter takes in beside its own; none for as many as are requested.
    pub(crate) filter_capacity: Mutex<Option<usize>>,
    /// The port behind which each bridge, by name, learned a MAC.
    pub(crate) learned: Mutex<BTreeMap<(String, Mac), String>>,
    /// Ports from which bridges learn nothing, by index.
    pub(crate) learning_off: Mutex<BTreeSet<u32>>,
    /// Whether trust of a VF is refused from now on.
    pub(crate) refuses_trust: Mutex<bool>,
    /// Device files that a process has open.
    pub(crate) open: Mutex<BTreeSet<String>>,
}

/// VFs that are to come.
#[derive(Debug, Clone, Copy)]
struct Late {
    adapter: PciAddress,
    vfs: u16,
    at: Duration,
}

/// A VF that a driver is shown at, and has not taken.
#[derive(Debug, Clone, Copy)]
struct Tried {
    adapter: PciAddress,
    vf: u16,
    until: Duration,
}

/// A write that does not come back, or never will.
#[derive(Debug)]
struct Stuck {
    adapter: PciAddress,
    vfs: u16,
    /// The lock that the writing child keeps; an oops killed the child, and with it that.
    _kept: Option<Lock>,
}

impl SimKernel {
    /// The kernel of `node`.
    pub fn new(node: SimNode) -> Self {
        SimKernel {
            root: Root::new(node.root()),
            rulesets: CopiedRulesets::new(Root::new(node.root())),
            node: RwLock::new(node),
            time: Time::default(),
            fault: Mutex::default(),
            late: Mutex::default(),
            tried: Mutex::default(),
            stuck: Mutex::default(),
            settings: Mutex::default(),
            taken_in: Mutex::default(),
            filter_capacity: Mutex::default(),
            learned: Mutex::default(),
            learning_off: Mutex::default(),
            refuses_trust: Mutex::default(),
            open: Mutex::default(),
        }
    }

    /// The MACs that adapters take in beside their own; those of a bond are in its active port's.
    pub fn taken_in(&self) -> Vec<(PciAddress, Mac)> {
        let links = self.links().unwrap_or_default();
        let link = |name: &str| links.iter().find(|link| link.name == name);
        let adapter = |name: &str| {
            let own = link(name)?;
            let active = own.bond.as_ref().and_then(|bond| bond.active.as_deref());
            own.parent.or_else(|| link(active?)?.parent)
        };
        let taken = held(&self.taken_in);
        let mut taken: Vec<(PciAddress, Mac)> = taken
            .iter()
            .filter_map(|(name, mac)| Some((adapter(name)?, *mac)))
            .collect();
        taken.sort();
        taken.dedup();
        taken
    }

    /// From now on an adapter takes in no more than so many.
    pub fn limit_filters(&self, room: Option<usize>) {
        *held(&self.filter_capacity) = room;
    }

    /// The power was off: nothing is in a filter, and no bridge knows anybody.
    pub(crate) fn forget_addresses(&self) {
        held(&self.taken_in).clear();
        held(&self.learned).clear();
    }

    /// The driver takes no trust of a VF from now on, or it does again.
    pub fn refuse_trust(&self, refuse: bool) {
        *held(&self.refuses_trust) = refuse;
    }

    /// Lets `fault` befall the node.
    pub fn break_with(&self, fault: Fault) {
        *held(&self.fault) = Some(fault);
    }

    /// Repairs whatever is broken: a write that hung comes back, a driver is bound again, an
    /// adapter is plugged in again, a machine whose driver oopsed was rebooted.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn repair(&self) -> io::Result<()> {
        let fault = held(&self.fault).take();
        let stuck = held(&self.stuck).take();
        let adapters = self.node().adapters();
        match (fault, stuck) {
            (Some(Fault::Hang), Some(stuck)) => {
                self.node_mut().apply_numvfs(stuck.adapter, stuck.vfs)
            }
            (Some(Fault::DriverOopses { .. }), Some(stuck)) => {
                self.node_mut().unplug(stuck.adapter)?;
                self.node_mut().plug()
            }
            (Some(Fault::DriverDies { .. }), _) => {
                let bind = |adapter| self.node_mut().bind_adapter(adapter);
                adapters.into_iter().try_for_each(bind)
            }
            (Some(Fault::AdapterVanishes | Fault::AdapterVanishesLater), _) => {
                self.node_mut().plug()
            }
            _ => Ok(()),
        }
    }

    /// The driver of VF `vf` is shown at it for a while, and then is not let: so it goes when
    /// the driver's module is loaded while `sriov_drivers_autoprobe` is 0.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn try_driver(&self, adapter: PciAddress, vf: u16, within: Duration) -> io::Result<()> {
        let node = self.node();
        node.bind_vf_to_its_driver(adapter, vf)?;
        node.move_away(&node.vf_netdev(adapter, vf))?;
        let until = self.time.passed() + within;
        *held(&self.tried) = Some(Tried { adapter, vf, until });
        Ok(())
    }

    /// The fault that is there now.
    pub(crate) fn fault(&self) -> Option<Fault> {
        *held(&self.fault)
    }

    /// The tree.
    pub fn node(&self) -> RwLockReadGuard<'_, SimNode> {
        self.node.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tree, to be changed.
    pub fn node_mut(&self) -> RwLockWriteGuard<'_, SimNode> {
        self.node.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the node's files lie.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// Lets time pass, and what is due in it happen.
    pub(crate) fn advance(&self, time: Duration) {
        self.time.advance(time);
        let late = *held(&self.late);
        if let Some(late) = late
            && self.time.passed() >= late.at
        {
            *held(&self.late) = None;
            // A tree that cannot be written shows in what is read of it.
            drop(self.node_mut().complete_vfs(late.adapter, late.vfs));
        }
        let tried = *held(&self.tried);
        if let Some(tried) = tried
            && self.time.passed() >= tried.until
        {
            *held(&self.tried) = None;
            drop(self.node().unbind_vf(tried.adapter, tried.vf));
        }
        if self.fault() == Some(Fault::AdapterVanishesLater) {
            let adapters = self.node().adapters();
            for adapter in adapters {
                drop(self.node_mut().unplug(adapter));
            }
        }
    }

    /// Whether reads of attributes under the device lock hang.
    pub(crate) fn is_locked(&self, path: &std::path::Path) -> bool {
        let stuck = held(&self.stuck);
        let Some(stuck) = stuck.as_ref() else {
            return false;
        };
        let adapter = stuck.adapter.to_string();
        path.parent()
            .is_some_and(|folder| folder.ends_with(&adapter))
    }

    /// One write of a knob, as the kernel does it, waited for no longer than `within`.
    pub(crate) fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        let refuse = |errno| Err(Refusal::from_io(&io::Error::from_raw_os_error(errno)));
        match self.fault() {
            Some(Fault::ReadOnlySys) => return refuse(EROFS),
            Some(Fault::NotRoot) => return refuse(EACCES),
            _ => {}
        }
        let place = self.root.locate(path);
        // It is opened for writing, never made.
        if let Err(error) = fs::metadata(&place) {
            return Err(Refusal::from_io(&error));
        }
        let Some((folder, "sriov_numvfs")) = path.rsplit_once('/') else {
            return fs::write(&place, format!("{value}\n"))
                .map_err(|error| Refusal::from_io(&error));
        };
        let adapter = folder.rsplit('/').next().and_then(|name| name.parse().ok());
        let (Some(adapter), Ok(vfs)) = (adapter, value.parse()) else {
            return refuse(EINVAL);
        };
        if self.is_locked(&place) {
            return Err(self.wait_in_vain(within, waiting));
        }
        if vfs == 0 {
            self.forget_settings(adapter);
        }
        self.configure(adapter, vfs, lock, within, waiting)
    }

    /// What was set of VFs goes with them.
    fn forget_settings(&self, adapter: PciAddress) {
        held(&self.settings).retain(|(pf, _), _| *pf != adapter);
    }

    /// Another process writes a number of VFs.
    ///
    /// # Errors
    ///
    /// As the kernel, see [`SimNode::apply_numvfs`].
    pub fn echo_numvfs(&self, adapter: PciAddress, vfs: u16) -> io::Result<()> {
        self.node_mut().apply_numvfs(adapter, vfs)?;
        if vfs == 0 {
            self.forget_settings(adapter);
        }
        Ok(())
    }

    /// What the driver does with a number of VFs.
    fn configure(
        &self,
        adapter: PciAddress,
        vfs: u16,
        lock: &Lock,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        let done = |result: io::Result<()>| result.map_err(|error| Refusal::from_io(&error));
        let refused = |errno| done(Err(io::Error::from_raw_os_error(errno)));
        match self.fault() {
            Some(Fault::Errno(errno)) => refused(errno),
            Some(Fault::RefusesNumber { vfs: odd, errno }) if odd == vfs => refused(errno),
            Some(Fault::Refuses { errno, words }) => {
                done(self.log(adapter, words))?;
                refused(errno)
            }
            Some(Fault::Hang) => {
                self.get_stuck(adapter, vfs, Some(lock));
                Err(self.wait_in_vain(within, waiting))
            }
            Some(Fault::FewerThanAsked(made)) if vfs > made => {
                let words = format!("{vfs} VFs requested; only {made} enabled");
                done(self.log(adapter, &words))?;
                self.time.advance(FOR_ONE_VF * u32::from(made));
                done(self.node_mut().apply_numvfs(adapter, made))
            }
            Some(Fault::Late { at_once, after }) if vfs > at_once => {
                done(self.node_mut().apply_numvfs_partly(adapter, vfs, at_once))?;
                let at = self.time.passed() + after;
                *held(&self.late) = Some(Late { adapter, vfs, at });
                Ok(())
            }
            Some(Fault::HostDriver { vf }) if vfs > vf => {
                done(self.node_mut().apply_numvfs(adapter, vfs))?;
                done(self.node().bind_vf_to_its_driver(adapter, vf))
            }
            Some(Fault::HostNetdevUp { vf }) if vfs > vf => {
                done(self.node_mut().apply_numvfs(adapter, vfs))?;
                done(self.node().bind_vf_to_its_driver(adapter, vf))?;
                let netdev = self.node().vf_netdev(adapter, vf);
                done(self.node().bring_up(&netdev))
            }
            Some(Fault::DriverDies { after_vfs }) if vfs > after_vfs => {
                done(self.node_mut().apply_numvfs_partly(adapter, vfs, after_vfs))?;
                done(self.log(adapter, "firmware does not respond, giving up"))?;
                done(self.node().unbind_adapter(adapter))?;
                refused(EIO)
            }
            Some(Fault::DriverOopses { after_vfs }) if vfs > after_vfs => {
                done(self.node_mut().apply_numvfs_partly(adapter, vfs, after_vfs))?;
                self.get_stuck(adapter, vfs, None);
                Err(Refusal::Errno {
                    number: 0,
                    text: "the writing process ended with signal: 9 (SIGKILL)".to_owned(),
                })
            }
            Some(Fault::AdapterVanishes) => {
                done(self.log(adapter, "device lost from bus"))?;
                done(self.node_mut().unplug(adapter))?;
                refused(EIO)
            }
            Some(Fault::AdapterVanishesLater) if vfs > 0 => {
                done(self.node_mut().apply_numvfs_partly(adapter, vfs, vfs - 1))
            }
            _ => {
                self.time.advance(FOR_ONE_VF * u32::from(vfs));
                done(self.node_mut().apply_numvfs(adapter, vfs))
            }
        }
    }

    fn get_stuck(&self, adapter: PciAddress, vfs: u16, lock: Option<&Lock>) {
        let kept = lock.and_then(|lock| lock.share().ok());
        *held(&self.stuck) = Some(Stuck {
            adapter,
            vfs,
            _kept: kept,
        });
    }

    fn wait_in_vain(&self, within: Duration, waiting: &mut dyn FnMut()) -> Refusal {
        let slice = Duration::from_millis(100);
        let mut left = within;
        while !left.is_zero() {
            self.advance(slice.min(left));
            left = left.saturating_sub(slice);
            waiting();
        }
        Refusal::TimedOut(within)
    }

    /// A line in the kernel log, as `/dev/kmsg` shows it.
    fn log(&self, adapter: PciAddress, words: &str) -> io::Result<()> {
        let path: PathBuf = self.root.locate("/dev/kmsg");
        let mut log = File::options().create(true).append(true).open(path)?;
        let micros = self.time.passed().as_micros();
        let driver = self
            .root
            .link_name(&format!("/sys/bus/pci/devices/{adapter}/driver"));
        let driver = driver.ok().flatten().unwrap_or_else(|| "pci".to_owned());
        io::Write::write_all(
            &mut log,
            format!("3,1000,{micros},-;{driver} {adapter}: {words}\n").as_bytes(),
        )
    }
}
