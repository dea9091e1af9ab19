//! The path of each accelerated VM's traffic, as far as it is proved, and how long its guest has been waited for.
//!
//! Events cause an observation. Between them a guest that does not drive its VF yet is checked often, and one that
//! does once a minute: a check reads one register of the VF.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use accelnet_host::{observe, qemu_log};
use accelnet_model::domain::DomainState;
use accelnet_model::link::Link;
use accelnet_model::vf_evidence::Holding;
use accelnet_model::{Mac, Observed, PciAddress, Uuid, VfEvidence};
use accelnet_rules::vf_path::{self, Begin, Path, Time, Verdict};

use super::guest::Guests;
use crate::context::Context;
use crate::world::World;

/// A guest that sent over its vNIC is taken to do so for this long.
const SENDS: Duration = Duration::from_secs(5);

/// The paths of running VMs, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    vms: BTreeMap<Uuid, Watched>,
    /// VMs whose VF was attached while they ran, since the last observation.
    attached: BTreeSet<String>,
}

/// What follows from an observation.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// A path is another than before, or a guest's time has run out further.
    pub changed: bool,
    /// A VM requires failover bridging, or no longer does.
    pub bridging: bool,
    /// MACs whose VF's adapter has its link again.
    pub linked: Vec<Mac>,
    /// MACs that bridges are to learn anew.
    pub senders: Vec<Mac>,
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
    evidence: vf_path::Observation,
    /// When it was observed.
    at: Duration,
    pub verdict: Verdict,
}

impl Watched {
    /// What the verdict is based on.
    pub fn evidence(&self) -> &vf_path::Observation {
        &self.evidence
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
        match self.verdict.path != Path::Vf && self.evidence.running && running {
            true => self.evidence.waited + now.saturating_sub(self.at),
            false => self.evidence.waited,
        }
    }

    /// Whether its bridge is to learn anew where it is, and to report that it sends over its vNIC: its path is
    /// another than before, or it may send there although it drives its VF.
    fn is_to_be_unlearned(&self, was: Option<Path>) -> bool {
        let (is, was) = (self.verdict.path == Path::Vf, was == Some(Path::Vf));
        is != was || self.evidence.sends_on_vnic
    }

    fn due(&self) -> Option<Duration> {
        Some(self.at + self.verdict.next_check?)
    }
}

impl Paths {
    /// The path of a running VM.
    pub fn of(&self, uuid: &str) -> Option<&Watched> {
        self.vms.get(uuid)
    }

    /// Observes the VFs of all accelerated VMs that run here.
    pub fn observe(&mut self, ctx: &Context, world: &World, guests: &Guests) -> Found {
        let mut vms = BTreeMap::new();
        let mut found = Found::default();
        for setting in world.settings() {
            let Some(domain) = world.snapshot.running(&setting.uuid) else {
                continue;
            };
            let before = self.of(&setting.uuid).cloned();
            let vf = world.pair(&domain.vnics, setting.mac).vf;
            let interface = world
                .vf_of(domain, setting.mac)
                .and_then(|(adapter, _)| adapter.interfaces.first());
            let now = Now {
                name: &domain.name,
                mac: setting.mac,
                vf: vf.and_then(|vf| vf.host_device),
                running: domain.state == DomainState::Running,
                guest: guests
                    .answer(domain, before.as_ref().map(Watched::evidence))
                    .ok,
                attached: self.attached.contains(setting.uuid.as_str()),
                link: interface.map(|interface| interface.link.carrier),
                elsewhere: interface.is_some_and(|one| leads_elsewhere(ctx, &one.link)),
            };
            let was = before.as_ref().map(|before| before.verdict.path);
            let had_link = before.as_ref().and_then(|before| before.evidence.link);
            let watched = Watched::observed(ctx, before, &now);
            if had_link == Some(false) && watched.evidence.link != Some(false) {
                found.linked.push(setting.mac);
            }
            if watched.is_to_be_unlearned(was) {
                found.senders.push(setting.mac);
            }
            vms.insert(setting.uuid.clone(), watched);
        }
        self.vms = vms;
        self.attached.clear();
        found
    }

    /// When a VM is to be checked next without an event.
    pub fn next_check(&self) -> Option<Duration> {
        self.vms.values().filter_map(Watched::due).min()
    }

    /// Checks the VMs that are due, and those that are due soon.
    pub fn check(&mut self, ctx: &Context) -> Found {
        let now = ctx.uptime();
        let mut found = Found::default();
        for watched in self.vms.values_mut() {
            let half = watched.verdict.next_check;
            let half = half.map(|after| watched.at + after / 2);
            if half.is_none_or(|half| half > now) {
                continue;
            }
            let before = watched.clone();
            let state = Now {
                name: &before.name,
                mac: before.mac,
                vf: before.vf,
                running: before.evidence.running,
                guest: before.evidence.guest,
                attached: false,
                link: before.evidence.link,
                elsewhere: before.evidence.elsewhere,
            };
            *watched = Watched::observed(ctx, Some(before.clone()), &state);
            let (was, is) = (&before.verdict, &watched.verdict);
            found.changed |= (was.path, was.time) != (is.path, is.time);
            found.bridging |= was.bridge != is.bridge;
            if watched.is_to_be_unlearned(Some(was.path)) {
                found.senders.push(watched.mac);
            }
        }
        found
    }

    /// A bridge learned that the VM with `mac` sends over its vNIC: a guest that drove its VF no longer does, or
    /// bypasses it.
    pub fn sender_event(&mut self, mac: Mac, now: Duration) {
        for watched in self.vms.values_mut().filter(|one| one.mac == mac) {
            // Before it drives its VF it has nothing else to send over.
            if watched.verdict.path == Path::Vf {
                watched.at = now;
                watched.verdict.next_check = Some(Duration::ZERO);
                watched.sent = Some(now);
            } else if watched.evidence.sends_on_vnic {
                watched.sent = Some(now);
            }
        }
    }

    /// The guest of a VM rebooted.
    pub fn guest_rebooted(&mut self, uuid: &str, now: Duration) {
        if let Some(watched) = self.vms.get_mut(uuid) {
            let evidence = &mut watched.evidence;
            (evidence.begin, evidence.waited) = (Begin::Rebooted, Duration::ZERO);
            // Without QEMU's events it is not known when it negotiates again.
            evidence.negotiated = evidence.negotiated.map(|_| false);
            evidence.guest = None;
            watched.at = now;
            watched.verdict.next_check = Some(Duration::ZERO);
        }
    }

    /// The guest of a VM negotiated failover.
    pub fn failover_negotiated(&mut self, uuid: &str) {
        if let Some(watched) = self.vms.get_mut(uuid) {
            watched.evidence.negotiated = Some(true);
        }
    }

    /// What was observed of a guest that does not use its VF, with QEMU's own words.
    pub fn why_not_used(&self, ctx: &Context, uuid: &str) -> String {
        let Some(watched) = self.of(uuid) else {
            return "It has not been checked yet.".to_owned();
        };
        if watched.evidence.link == Some(false) {
            return format!("Not now: {}.", watched.verdict.why);
        }
        let since = match watched.evidence.begin {
            Begin::Attached => "since its VF was attached",
            Begin::Started => "since it was started or the agent began",
            Begin::Rebooted => "since it rebooted",
            Begin::Lost => "although it did before",
        };
        let found = format!("Not {since}: {}.", watched.verdict.why);
        match qemu_log::messages_about_vf(ctx.edge.host().root, &watched.name) {
            Some(words) => format!("{found} QEMU wrote: {words}."),
            None => found,
        }
    }

    /// The path of a VM whose VF was just attached, a sentence.
    pub fn sentence(&self, uuid: &str) -> &'static str {
        match self.of(uuid).map(|watched| watched.verdict.path) {
            Some(Path::Vf) => "Its guest drives the VF.",
            _ => {
                "Its VF is attached; the software path carries its traffic until the guest drives the VF."
            }
        }
    }

    /// The VF of a running VM is about to be attached.
    pub fn attaches(&mut self, uuid: &str) {
        self.attached.insert(uuid.to_owned());
    }
}

/// Whether the software path leads over another adapter than that of `own`: they are ports of a bond.
fn leads_elsewhere(ctx: &Context, own: &Link) -> bool {
    if own.carrier {
        return false;
    }
    let links = ctx.edge.host().links.links().unwrap_or_default();
    let mut links = links.iter();
    let bond = links.find(|link| Some(&link.name) == own.master.as_ref());
    let active = bond.and_then(|bond| bond.bond.as_ref()?.active.as_ref());
    active.is_some_and(|active| *active != own.name)
}

impl Watched {
    fn observed(ctx: &Context, before: Option<Watched>, now: &Now<'_>) -> Self {
        let host = ctx.edge.host();
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
            let old = same.and_then(|same| same.evidence.vf.as_ref());
            if let (Some(old), Observed::Unknown(_), Some(true)) =
                (old, &vf.held, vf.bus_master.known())
            {
                vf.held = held_still(old);
            }
            vf
        });
        let sent = same.and_then(|same| same.sent);
        let mut evidence = vf_path::Observation {
            running: now.running,
            vf,
            negotiated: before
                .as_ref()
                .and_then(|before| before.evidence.negotiated),
            guest: now.guest,
            sends_on_vnic: sent.is_some_and(|sent| at < sent + SENDS),
            link: now.link,
            elsewhere: now.elsewhere,
            begin: match (same, &before) {
                (Some(same), _) => same.evidence.begin,
                // It may still boot.
                (None, Some(before)) if before.evidence.begin == Begin::Rebooted => Begin::Rebooted,
                (None, Some(_)) => Begin::Attached,
                (None, None) if now.attached => Begin::Attached,
                (None, None) => Begin::Started,
            },
            waited: same.map_or(Duration::ZERO, |same| same.waited_until(at, now.running)),
        };
        let verdict = vf_path::judge(&evidence, ctx.edge.limits());
        if verdict.path == Path::Vf {
            (evidence.begin, evidence.waited) = (Begin::Lost, Duration::ZERO);
        }
        Watched {
            name: now.name.to_owned(),
            mac: now.mac,
            vf: now.vf,
            sent,
            process,
            evidence,
            at,
            verdict,
        }
    }
}

/// A VM at the moment of an observation.
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
