//! What the simulated libvirt has.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard};

use accelnet_libvirt::{DomainChange, LibvirtError, VmEvent};
use accelnet_model::domain::DomainState;
use accelnet_model::platform::Version;
use accelnet_model::{Mac, PciAddress};

use super::guest::Guest;
use super::normal;
use crate::kernel::SimKernel;
use crate::mutex::held;
use crate::switches::SimSwitches;

/// A libvirt daemon and its VMs; clones are the same.
#[derive(Clone)]
pub struct SimVms {
    pub(super) kernel: Arc<SimKernel>,
    pub(super) switches: SimSwitches,
    pub(super) state: Arc<Mutex<State>>,
}

/// What libvirt has.
pub(super) struct State {
    /// By UUID.
    pub(super) domains: BTreeMap<String, SimDomain>,
    /// By name.
    pub(super) networks: BTreeMap<String, SimNetwork>,
    pub(super) versions: (Version, Option<Version>),
    pub(super) away: bool,
    refusals: Vec<Refusal>,
    /// The changing call in which the daemon ends.
    leave: Option<Leave>,
    /// The changing call that is refused, counted from the next one.
    refuse_call: Option<(u32, String)>,
    /// Changing calls so far, in words.
    pub(super) calls: Vec<String>,
    pub(super) watchers: Vec<(u64, Sender<VmEvent>)>,
    pub(super) next: u64,
    /// QEMU processes so far.
    pub(super) processes: u32,
}

/// A domain.
#[derive(Debug, Clone)]
pub(super) struct SimDomain {
    pub(super) name: String,
    pub(super) uuid: String,
    /// Its definition; none for one that ends with its last stop.
    pub(super) config: Option<String>,
    pub(super) live: Option<String>,
    pub(super) paused: bool,
    /// Whether it is on its way from one node to another.
    pub(super) leaving: bool,
    pub(super) autostart: bool,
    pub(super) managed_save: bool,
    pub(super) snapshots: u32,
    pub(super) guest: Guest,
    /// Whether the guest that runs takes part in failover.
    pub(super) negotiated: bool,
    /// Whether the guest's driver lets its VF alone: a process unbound it, or it has not come yet.
    pub(super) unbound: bool,
    pub(super) plugs: Vec<Plug>,
    /// The QEMU process, while it runs.
    pub(super) process: Option<u32>,
    /// What is resident of its memory.
    pub(super) resident_mib: u64,
}

/// What a running domain has of its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plug {
    pub(super) mac: Mac,
    pub(super) kind: PlugKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PlugKind {
    Tap(String),
    Vf {
        vf: PciAddress,
        network: String,
        /// Whether QEMU shows it to a guest only that takes part in failover.
        transient: bool,
        /// Whether QEMU has plugged it into the guest.
        plugged: bool,
    },
}

/// A virtual network.
#[derive(Debug, Clone)]
pub(super) struct SimNetwork {
    pub(super) uuid: String,
    pub(super) config: Option<String>,
    pub(super) live: Option<String>,
    pub(super) autostart: bool,
    /// VFs that it counts as taken: forgotten when it is stopped.
    pub(super) taken: Vec<PciAddress>,
}

/// Calls that are refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) call: String,
    pub(super) words: String,
    pub(super) left: u32,
}

/// The end of the daemon in a call.
#[derive(Debug, Clone)]
pub(super) struct Leave {
    /// What the call's words contain.
    pub(super) words: Vec<String>,
    /// Whether the call is carried out, and only its answer is lost.
    done: bool,
}

impl SimVms {
    /// Of the node that `kernel` runs: libvirt 11.3 with QEMU 10, and no VM.
    pub fn new(kernel: Arc<SimKernel>, switches: SimSwitches) -> Self {
        let state = State {
            domains: BTreeMap::new(),
            networks: BTreeMap::new(),
            versions: (Version::new(11, 3, 0), Some(Version::new(10, 0, 3))),
            away: false,
            refusals: Vec::new(),
            leave: None,
            refuse_call: None,
            calls: Vec::new(),
            watchers: Vec::new(),
            next: 1,
            processes: 0,
        };
        SimVms {
            kernel,
            switches,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The daemon goes away, or comes back; VMs run on.
    pub fn set_away(&self, away: bool) {
        let mut state = held(&self.state);
        state.away = away;
        state.notify(match away {
            true => VmEvent::ConnectionLost {
                reason: "the daemon was stopped".to_owned(),
            },
            false => VmEvent::Reconnected,
        });
    }

    /// Refuses the next `times` calls whose words contain `call`, such as `attach live`, with
    /// libvirt's `words`.
    pub fn refuse(&self, call: &str, words: &str, times: u32) {
        held(&self.state).refusals.push(Refusal {
            call: call.to_owned(),
            words: words.to_owned(),
            left: times,
        });
    }

    /// The daemon goes away in the next changing call whose words contain all of `words`: before
    /// it is carried out or, of an attach, when it is `done` and only its answer is lost.
    pub fn go_away_in(&self, words: &[&str], done: bool) {
        held(&self.state).leave = Some(Leave {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            done,
        });
    }

    /// Refuses the changing call after the next `after`, whatever it is.
    pub fn refuse_call(&self, after: u32, words: &str) {
        held(&self.state).refuse_call = Some((after, words.to_owned()));
    }

    /// Refuses nothing more; whether a call was still to be refused.
    pub fn accept(&self) -> bool {
        let mut state = held(&self.state);
        let left = state.refuse_call.take().is_some();
        let more = state.refusals.iter().any(|refusal| refusal.left > 0);
        state.refusals.clear();
        left || more
    }

    /// Changing calls since the last time, in words.
    pub fn calls(&self) -> Vec<String> {
        std::mem::take(&mut held(&self.state).calls)
    }

    /// The state, for a call that only reads.
    pub(super) fn open(&self) -> Result<MutexGuard<'_, State>, LibvirtError> {
        let state = held(&self.state);
        match state.away {
            true => Err(away()),
            false => Ok(state),
        }
    }

    /// The state, for a call that changes something.
    pub(super) fn change(
        &self,
        doing: &'static str,
        call: String,
    ) -> Result<MutexGuard<'_, State>, LibvirtError> {
        let mut state = self.open()?;
        if state.leaves(&call, false) {
            return Err(away());
        }
        let refused = state.refused(&call);
        state.calls.push(call);
        match refused {
            Some(words) => Err(LibvirtError::Failed { doing, words }),
            None => Ok(state),
        }
    }
}

/// There is no daemon.
pub(super) fn away() -> LibvirtError {
    LibvirtError::NotRunning {
        words:
            "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or directory"
                .to_owned(),
    }
}

impl State {
    /// Whether the daemon ends with this call.
    pub(super) fn leaves(&mut self, call: &str, done: bool) -> bool {
        let leaves = self.leave.as_ref().is_some_and(|leave| {
            leave.done == done && leave.words.iter().all(|word| call.contains(word))
        });
        if leaves {
            self.leave = None;
            self.away = true;
        }
        leaves
    }

    fn refused(&mut self, call: &str) -> Option<String> {
        if let Some((left, words)) = &mut self.refuse_call {
            match left {
                0 => {
                    let words = words.clone();
                    self.refuse_call = None;
                    return Some(words);
                }
                left => *left -= 1,
            }
        }
        let mut refusals = self.refusals.iter_mut();
        let refusal = refusals.find(|refusal| refusal.left > 0 && call.contains(&refusal.call))?;
        refusal.left -= 1;
        Some(refusal.words.clone())
    }

    /// What runs, as it is shown.
    pub(super) fn public(&self, live: &str) -> String {
        normal::connected(live, |name| {
            let network = self.networks.get(name)?;
            accelnet_libvirt::xml::network(network.live.as_deref()?)?.bridge
        })
    }

    pub(super) fn domain(&mut self, uuid: &str) -> Result<&mut SimDomain, LibvirtError> {
        let found = self.domains.get_mut(uuid);
        found.ok_or_else(|| LibvirtError::NoDomain {
            words: format!("Domain not found: no domain with matching uuid '{uuid}'"),
        })
    }

    /// Notifies the watchers; those that are gone are forgotten.
    pub(super) fn notify(&mut self, event: VmEvent) {
        self.watchers
            .retain(|(_, watcher)| watcher.send(event.clone()).is_ok());
    }

    pub(super) fn notify_domain(&mut self, uuid: &str, change: DomainChange) {
        let name = self.domains.get(uuid).map(|domain| domain.name.clone());
        self.notify(VmEvent::Domain {
            uuid: uuid.to_owned(),
            name: name.unwrap_or_default(),
            change,
        });
    }

    pub(super) fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }
}

impl SimDomain {
    pub(super) fn state(&self) -> DomainState {
        match (&self.live, self.paused) {
            (None, _) => DomainState::ShutOff,
            (Some(_), true) => DomainState::Paused,
            (Some(_), false) => DomainState::Running,
        }
    }

    /// What runs, else its definition, as it was requested.
    pub(super) fn shown(&self) -> &str {
        let shown = self.live.as_ref().or(self.config.as_ref());
        shown.map_or("", String::as_str)
    }
}

pub(super) fn failed(doing: &'static str, words: impl Into<String>) -> LibvirtError {
    LibvirtError::Failed {
        doing,
        words: words.into(),
    }
}
