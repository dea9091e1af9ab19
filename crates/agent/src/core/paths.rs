//! Which way the traffic of each accelerated VM goes, as far as it is proved, and how long its guest has
//! been waited for.
//!
//! Events start a look; between them a guest that does not drive its VF yet is looked at often, and one
//! that does once a minute: each such look reads one register of the VF.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use accelnet_api::types::VmView;
use accelnet_host::vms::VmEvent;
use accelnet_host::{observe, qemu_log};
use accelnet_model::domain::DomainState;
use accelnet_model::vf_evidence::Holding;
use accelnet_model::{Code, Mac, Observed, PciAddress, Problem, VfEvidence};
use accelnet_rules::pair::Pair;
use accelnet_rules::vf_path::{self, Begin, Limits, Path, Time, Verdict};

use super::{Core, Seen};
use crate::policy::Policy;
use crate::view::find_vf;

/// What is known of the paths of VMs, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    limits: Limits,
    vms: BTreeMap<String, Watched>,
    /// VMs that were given their VF while they ran, since the last look.
    attached: BTreeSet<String>,
    /// MACs of VMs whose VF's adapter has no link.
    without_link: BTreeSet<Mac>,
}

/// A VM that runs.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    name: String,
    /// The VF that its XML lists.
    vf: Option<PciAddress>,
    /// Its QEMU.
    process: Observed<u32>,
    seen: vf_path::Seen,
    /// When it was looked at.
    at: Duration,
    /// What follows.
    pub verdict: Verdict,
}

impl Watched {
    /// What was seen.
    pub fn seen(&self) -> &vf_path::Seen {
        &self.seen
    }

    /// Whether its guest was given more time than guests take, and does not drive the VF that it has.
    pub fn is_late(&self) -> bool {
        matches!(self.verdict.time, Time::Late | Time::Over)
    }

    /// How long its guest is waited for at `now`. A paused one uses up no time.
    fn waited_until(&self, now: Duration, running: bool) -> Duration {
        match self.verdict.path != Path::Vf && self.seen.running && running {
            true => self.seen.waited + now.saturating_sub(self.at),
            false => self.seen.waited,
        }
    }

    fn due(&self) -> Option<Duration> {
        Some(self.at + self.verdict.look_again?)
    }
}

impl Core {
    /// Guests are given this much time to drive their VFs.
    pub fn limit_waiting(&mut self, limits: Limits) {
        self.paths.limits = limits;
    }

    /// What is known of the path of a running VM.
    pub(crate) fn path_of(&self, uuid: &str) -> Option<&Watched> {
        self.paths.vms.get(uuid)
    }

    /// Looks at the VFs of all accelerated VMs that run here, as `seen` lists them.
    pub(crate) fn watch_paths(&mut self, policy: &Policy, seen: &Seen) {
        let Some(domains) = seen.node.domains.known() else {
            return;
        };
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        let mut before = std::mem::take(&mut self.paths.vms);
        for (setting, _) in &policy.vms {
            let domain = domains.iter().find(|one| one.uuid == setting.uuid);
            let Some(domain) = domain.filter(|one| one.state.holds_devices()) else {
                continue;
            };
            let vf = Pair::of(&domain.vnics, setting.mac, &pool).vf;
            let now = Now {
                name: &domain.name,
                vf: vf.and_then(|vf| vf.host_device),
                running: domain.state == DomainState::Running,
                guest: self.guest_word(domain).so,
                attached: self.paths.attached.contains(&setting.uuid),
                link: vf
                    .and_then(|vf| find_vf(seen, vf))
                    .and_then(|(adapter, _)| adapter.interfaces.first())
                    .map(|interface| interface.link.carrier),
            };
            let watched = self.look_at_path(before.remove(&setting.uuid), now);
            self.paths.vms.insert(setting.uuid.clone(), watched);
        }
        self.paths.attached.clear();
    }

    /// Begins failover bridging of VMs whose VF's adapter has lost its link, and ends it once the link is
    /// back: the bridge receives for them meanwhile, by whichever port has link.
    pub(crate) fn bridge_without_link(&mut self, policy: &Policy) {
        let mut without = BTreeSet::new();
        for (setting, _) in &policy.vms {
            let watched = self.paths.vms.get(&setting.uuid);
            if watched.is_some_and(|one| one.vf.is_some() && one.seen.link == Some(false)) {
                without.insert(setting.mac);
            }
        }
        let before = std::mem::replace(&mut self.paths.without_link, without.clone());
        for &mac in without.difference(&before) {
            self.begin_crossing(policy, mac);
        }
        for &mac in before.difference(&without) {
            self.crosses_from_now(mac);
        }
    }

    /// When a VM is to be looked at next without an event.
    pub(crate) fn next_path_look(&self) -> Option<Duration> {
        self.paths.vms.values().filter_map(Watched::due).min()
    }

    /// Looks at the VMs whose turn it is, and at those whose turn comes soon; whether any path is another
    /// than before, or a guest's time has run out further.
    pub fn look_at_paths(&mut self) -> bool {
        let now = self.edge.host().clock.uptime();
        let soon = |one: &Watched| {
            let half = one.verdict.look_again.map(|after| one.at + after / 2);
            half.is_some_and(|half| half <= now)
        };
        let all = std::mem::take(&mut self.paths.vms);
        let mut changed = false;
        for (uuid, before) in all {
            let watched = match soon(&before) {
                false => before,
                true => {
                    let name = before.name.clone();
                    let state = Now {
                        name: &name,
                        vf: before.vf,
                        running: before.seen.running,
                        guest: before.seen.guest,
                        attached: false,
                        link: before.seen.link,
                    };
                    let was = (before.verdict.path, before.verdict.time);
                    let watched = self.look_at_path(Some(before), state);
                    changed |= was != (watched.verdict.path, watched.verdict.time);
                    watched
                }
            };
            self.paths.vms.insert(uuid, watched);
        }
        changed
    }

    /// What libvirt and QEMU report of a guest.
    pub fn heard_of_guest(&mut self, event: &VmEvent) {
        match event {
            VmEvent::Rebooted { uuid } => {
                let now = self.edge.host().clock.uptime();
                if let Some(watched) = self.paths.vms.get_mut(uuid) {
                    let seen = &mut watched.seen;
                    (seen.begin, seen.waited) = (Begin::Rebooted, Duration::ZERO);
                    // Without QEMU's events nobody hears that it negotiates anew.
                    seen.negotiated = seen.negotiated.map(|_| false);
                    seen.guest = None;
                    watched.at = now;
                    watched.verdict.look_again = Some(Duration::ZERO);
                }
            }
            VmEvent::FailoverNegotiated { uuid, .. } => {
                if let Some(watched) = self.paths.vms.get_mut(uuid) {
                    watched.seen.negotiated = Some(true);
                }
            }
            _ => {}
        }
    }

    /// What is wrong with a VM whose guest was given time enough, and is not seen to drive its VF.
    pub(crate) fn vf_not_used(&self, vm: &VmView) -> Option<Problem> {
        let watched = self.path_of(&vm.uuid)?;
        if !watched.is_late() {
            return None;
        }
        let since = match watched.seen.begin {
            Begin::Attached => "since its VF was attached",
            Begin::Started => "since it was started or the agent began",
            Begin::Rebooted => "since it rebooted",
            Begin::Lost => "although it did before",
        };
        let found = format!("Not {since}: {}.", watched.verdict.why);
        let found = match qemu_log::words_about_vf(self.edge.host().root, &watched.name) {
            Some(words) => format!("{found} QEMU wrote: {words}"),
            None => found,
        };
        Some(Problem::new(Code::VfNotUsed, &[&vm.name], found))
    }

    /// The path of a VM that was just given its VF, in a sentence.
    pub(crate) fn path_in_words(&self, uuid: &str) -> &'static str {
        match self.path_of(uuid).map(|watched| watched.verdict.path) {
            Some(Path::Vf) => "Its guest drives the VF.",
            _ => {
                "Its VF is attached; the software path carries its traffic until the guest drives the VF."
            }
        }
    }

    /// A VM is given its VF while it runs.
    pub(crate) fn attaches(&mut self, uuid: &str) {
        self.paths.attached.insert(uuid.to_owned());
    }

    fn look_at_path(&self, before: Option<Watched>, now: Now<'_>) -> Watched {
        let host = self.edge.host();
        let at = host.clock.uptime();
        let process = observe::qemu_process(host.root, now.name);
        // Nothing of an earlier run counts.
        let goes_on = |before: &Watched| {
            let both = (before.process.known(), process.known());
            before.name == now.name && !matches!(both, (Some(was), Some(is)) if was != is)
        };
        let before = before.filter(goes_on);
        let same = before.as_ref().filter(|before| before.vf == now.vf);
        let vf = now.vf.map(|vf| {
            let mut vf = observe::vf_evidence(host.root, &process, vf, same.is_none());
            let old = same.and_then(|same| same.seen.vf.as_ref());
            if let (Some(old), Observed::Unknown(_), Some(true)) =
                (old, &vf.held, vf.bus_master.known())
            {
                vf.held = held_still(old);
            }
            vf
        });
        let mut seen = vf_path::Seen {
            running: now.running,
            vf,
            negotiated: before.as_ref().and_then(|before| before.seen.negotiated),
            guest: now.guest,
            sends_on_vnic: same.is_some_and(|same| same.seen.sends_on_vnic),
            link: now.link,
            begin: match (same, now.attached || before.is_some()) {
                (Some(same), _) => same.seen.begin,
                (None, true) => Begin::Attached,
                (None, false) => Begin::Started,
            },
            waited: same.map_or(Duration::ZERO, |same| same.waited_until(at, now.running)),
        };
        let verdict = vf_path::judge(&seen, self.paths.limits);
        if verdict.path == Path::Vf {
            (seen.begin, seen.waited) = (Begin::Lost, Duration::ZERO);
        }
        Watched {
            name: now.name.to_owned(),
            vf: now.vf,
            process,
            seen,
            at,
            verdict,
        }
    }
}

/// A VM at the moment of a look.
struct Now<'a> {
    name: &'a str,
    vf: Option<PciAddress>,
    running: bool,
    guest: Option<bool>,
    attached: bool,
    link: Option<bool>,
}

/// QEMU was seen to hold a VF that a driver still works.
fn held_still(old: &VfEvidence) -> Observed<Holding> {
    match &old.held {
        Observed::Known(Holding::NotHeld) => Observed::unknown("not asked again"),
        held => held.clone(),
    }
}
