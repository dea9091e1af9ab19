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
use accelnet_model::domain::{DomainState, Vnic};
use accelnet_model::vf_evidence::Holding;
use accelnet_model::{Mac, Observed, PciAddress, Problem, Uuid, VfEvidence};
use accelnet_rules::pair::Pair;
use accelnet_rules::vf_path::{self, Begin, Path, Time, Verdict};

use super::{Core, Seen};
use crate::policy::Policy;
use crate::view::find_vf;

/// A guest that sent over its vNIC is taken to do so for this long.
const SENDS: Duration = Duration::from_secs(5);

/// What is known of the paths of VMs, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    vms: BTreeMap<Uuid, Watched>,
    /// VMs that were given their VF while they ran, since the last look.
    attached: BTreeSet<String>,
}

/// A VM that runs.
#[derive(Debug, Clone)]
pub(crate) struct Watched {
    name: String,
    mac: Mac,
    /// The VF that its XML lists.
    vf: Option<PciAddress>,
    /// When its bridge learned last that the guest sends over its vNIC.
    sent: Option<Duration>,
    /// Its QEMU.
    process: Observed<u32>,
    seen: vf_path::Observation,
    /// When it was looked at.
    at: Duration,
    /// What follows.
    pub verdict: Verdict,
}

impl Watched {
    /// What was seen.
    pub fn seen(&self) -> &vf_path::Observation {
        &self.seen
    }

    /// Its MAC.
    pub fn mac(&self) -> Mac {
        self.mac
    }

    /// Whether its XML lists a VF.
    pub fn has_vf(&self) -> bool {
        self.vf.is_some()
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

    /// Whether its bridge is to learn anew where it is, and to report that it sends over its vNIC: its path is
    /// another than before, or it may send there although it drives its VF.
    fn is_to_be_unlearned(&self, was: Option<Path>) -> bool {
        let (is, was) = (self.verdict.path == Path::Vf, was == Some(Path::Vf));
        is != was || self.seen.sends_on_vnic
    }

    fn due(&self) -> Option<Duration> {
        Some(self.at + self.verdict.next_check?)
    }
}

impl Core {
    /// What is known of the path of a running VM.
    pub(crate) fn path_of(&self, uuid: &str) -> Option<&Watched> {
        self.paths.vms.get(uuid)
    }

    /// Looks at the VFs of all accelerated VMs that run here, as `seen` lists them.
    pub(crate) fn watch_paths(&mut self, policy: &Policy, seen: &Seen) {
        if seen.node.domains.known().is_none() {
            return;
        }
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        let pool = pool.unwrap_or_default();
        self.settle_taken_back(policy, seen);
        let mut vms = BTreeMap::new();
        let mut senders = Vec::new();
        for (setting, _) in &policy.vms {
            let domain = seen.domain(&setting.uuid);
            let Some(domain) = domain.filter(|one| one.state.holds_devices()) else {
                continue;
            };
            let vf = Pair::of(&domain.vnics, setting.mac, &pool).vf;
            let now = Now {
                name: &domain.name,
                mac: setting.mac,
                vf: vf.and_then(|vf| vf.host_device),
                running: domain.state == DomainState::Running,
                guest: self.guest_word(domain).ok,
                attached: self.paths.attached.contains(setting.uuid.as_str()),
                link: vf
                    .and_then(|vf| find_vf(seen, vf))
                    .and_then(|(adapter, _)| adapter.interfaces.first())
                    .map(|interface| interface.link.carrier),
                elsewhere: vf.is_some_and(|vf| self.leads_elsewhere(seen, vf)),
            };
            let before = self.path_of(&setting.uuid).cloned();
            let was = before.as_ref().map(|before| before.verdict.path);
            let had_link = before.as_ref().and_then(|before| before.seen.link);
            let watched = self.look_at_path(before, now);
            if had_link == Some(false) && watched.seen.link != Some(false) {
                // Its guest finds that out in its own time.
                self.bridge_for_a_while(setting.mac);
            }
            if watched.is_to_be_unlearned(was) {
                senders.push(setting.mac);
            }
            vms.insert(setting.uuid.clone(), watched);
        }
        self.paths.vms = vms;
        self.paths.attached.clear();
        self.settle_bridging(policy);
        senders.into_iter().for_each(|mac| self.unlearn(mac));
        self.settle_learning();
    }

    /// Whether the software path leads over another adapter than that of `vf`: they are ports of a bond.
    fn leads_elsewhere(&self, seen: &Seen, vf: &Vnic) -> bool {
        let Some(own) = find_vf(seen, vf).and_then(|(adapter, _)| adapter.interfaces.first())
        else {
            return false;
        };
        if own.link.carrier {
            return false;
        }
        let links = self.edge.host().links.links().unwrap_or_default();
        let bond = links
            .iter()
            .find(|link| Some(&link.name) == own.link.master.as_ref());
        let active = bond.and_then(|bond| bond.bond.as_ref()?.active.as_ref());
        active.is_some_and(|active| *active != own.link.name)
    }

    /// When a VM is to be looked at next without an event, or its failover bridging ends.
    pub(crate) fn next_path_look(&self) -> Option<Duration> {
        let looks = self.paths.vms.values().filter_map(Watched::due);
        let others = self
            .next_lingering()
            .into_iter()
            .chain(self.taken_back.due());
        looks.chain(others).min()
    }

    /// Looks at the VMs whose turn it is, and at those whose turn comes soon; whether any path is another
    /// than before, or a guest's time has run out further.
    pub fn look_at_paths(&mut self) -> bool {
        let now = self.edge.host().clock.uptime();
        let soon = |one: &Watched| {
            let half = one.verdict.next_check.map(|after| one.at + after / 2);
            half.is_some_and(|half| half <= now)
        };
        let all = std::mem::take(&mut self.paths.vms);
        let mut changed = self.taken_back.due().is_some_and(|due| due <= now);
        let mut senders = Vec::new();
        let mut bridging = self.next_lingering().is_some_and(|until| until <= now);
        for (uuid, before) in all {
            let watched = match soon(&before) {
                false => before,
                true => {
                    let name = before.name.clone();
                    let state = Now {
                        name: &name,
                        mac: before.mac,
                        vf: before.vf,
                        running: before.seen.running,
                        guest: before.seen.guest,
                        attached: false,
                        link: before.seen.link,
                        elsewhere: before.seen.elsewhere,
                    };
                    let was = before.verdict.clone();
                    let watched = self.look_at_path(Some(before), state);
                    let is = &watched.verdict;
                    changed |= (was.path, was.time) != (is.path, is.time);
                    bridging |= was.bridge != is.bridge;
                    if watched.is_to_be_unlearned(Some(was.path)) {
                        senders.push(watched.mac);
                    }
                    watched
                }
            };
            self.paths.vms.insert(uuid, watched);
        }
        if bridging {
            match self.policies.read_since(self.applied_revision) {
                Ok(policy) => self.settle_bridging(&policy),
                // The pass that a change asks for reads it anew.
                Err(_) => self.linger_on(),
            }
        }
        senders.into_iter().for_each(|mac| self.unlearn(mac));
        self.settle_learning();
        changed
    }

    /// The bridge learned that the VM with `mac` sends over its vNIC: a guest that drove its VF no longer
    /// does, or goes past it.
    pub fn heard_of_sender(&mut self, mac: Mac) {
        let now = self.edge.host().clock.uptime();
        for watched in self.paths.vms.values_mut().filter(|one| one.mac == mac) {
            // Before it drives its VF it has nothing else to send over.
            if watched.verdict.path == Path::Vf {
                watched.at = now;
                watched.verdict.next_check = Some(Duration::ZERO);
                watched.sent = Some(now);
            } else if watched.seen.sends_on_vnic {
                watched.sent = Some(now);
            }
        }
    }

    /// What libvirt and QEMU report of a guest.
    pub fn heard_of_guest(&mut self, event: &VmEvent) {
        match event {
            VmEvent::Rebooted { uuid } => {
                if let Ok(uuid) = uuid.parse() {
                    self.forgive_guest(&uuid);
                }
                let now = self.edge.host().clock.uptime();
                if let Some(watched) = self.paths.vms.get_mut(uuid.as_str()) {
                    let seen = &mut watched.seen;
                    (seen.begin, seen.waited) = (Begin::Rebooted, Duration::ZERO);
                    // Without QEMU's events nobody hears that it negotiates anew.
                    seen.negotiated = seen.negotiated.map(|_| false);
                    seen.guest = None;
                    watched.at = now;
                    watched.verdict.next_check = Some(Duration::ZERO);
                }
            }
            VmEvent::FailoverNegotiated { uuid, .. } => {
                if let Some(watched) = self.paths.vms.get_mut(uuid.as_str()) {
                    watched.seen.negotiated = Some(true);
                }
            }
            _ => {}
        }
    }

    /// What is wrong with a VM whose guest was given time enough, and is not seen to drive its VF; or from
    /// which it was taken back.
    pub(crate) fn vf_not_used(&self, vm: &VmView) -> Option<Problem> {
        let late = self.path_of(&vm.uuid).is_some_and(Watched::is_late);
        (late || self.is_taken_back(&vm.uuid)).then(|| self.not_used(&vm.uuid, &vm.name))
    }

    /// What was seen of a guest that does not use its VF, and QEMU's own words.
    pub(crate) fn why_not_used(&self, uuid: &str) -> String {
        let Some(watched) = self.path_of(uuid) else {
            return "It has not been checked yet.".to_owned();
        };
        if watched.seen.link == Some(false) {
            return format!("Not now: {}.", watched.verdict.why);
        }
        let since = match watched.seen.begin {
            Begin::Attached => "since its VF was attached",
            Begin::Started => "since it was started or the agent began",
            Begin::Rebooted => "since it rebooted",
            Begin::Lost => "although it did before",
        };
        let found = format!("Not {since}: {}.", watched.verdict.why);
        match qemu_log::messages_about_vf(self.edge.host().root, &watched.name) {
            Some(words) => format!("{found} QEMU wrote: {words}."),
            None => found,
        }
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
        let sent = same.and_then(|same| same.sent);
        let mut seen = vf_path::Observation {
            running: now.running,
            vf,
            negotiated: before.as_ref().and_then(|before| before.seen.negotiated),
            guest: now.guest,
            sends_on_vnic: sent.is_some_and(|sent| at < sent + SENDS),
            link: now.link,
            elsewhere: now.elsewhere,
            begin: match (same, &before) {
                (Some(same), _) => same.seen.begin,
                // It may still boot.
                (None, Some(before)) if before.seen.begin == Begin::Rebooted => Begin::Rebooted,
                (None, Some(_)) => Begin::Attached,
                (None, None) if now.attached => Begin::Attached,
                (None, None) => Begin::Started,
            },
            waited: same.map_or(Duration::ZERO, |same| same.waited_until(at, now.running)),
        };
        let verdict = vf_path::judge(&seen, self.edge.limits());
        if verdict.path == Path::Vf {
            (seen.begin, seen.waited) = (Begin::Lost, Duration::ZERO);
        }
        Watched {
            name: now.name.to_owned(),
            mac: now.mac,
            vf: now.vf,
            sent,
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
    mac: Mac,
    vf: Option<PciAddress>,
    running: bool,
    guest: Option<bool>,
    attached: bool,
    link: Option<bool>,
    elsewhere: bool,
}

/// QEMU was seen to hold a VF that a driver still works.
fn held_still(old: &VfEvidence) -> Observed<Holding> {
    match &old.held {
        Observed::Known(Holding::NotHeld) => Observed::unknown("not asked again"),
        held => held.clone(),
    }
}
