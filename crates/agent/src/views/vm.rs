//! VMs as they are shown.

use accelnet_api::types::{Path, State, Verified, VmView, VnicView};
use accelnet_model::domain::{DomainState, Vnic};
use accelnet_model::vf::VfSettings;
use accelnet_model::vf_evidence::Holding;
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, Domain, Mac, Observed, Vf, VmSetting};
use accelnet_rules::pair::Pair;
use accelnet_rules::vm::Switch;
use accelnet_rules::{vf_path, vf_settings};

use crate::observed::Snapshot;
use crate::vms::VmReconciler;
use crate::vms::paths::Watched;
use crate::vms::vf_repair::rate;
use crate::world::World;

/// What the views of all VMs are made from.
pub(crate) struct VmViews<'a> {
    world: &'a World,
    vms: &'a VmReconciler,
    switch: Option<Switch>,
}

/// A VM, its setting and its VF.
#[derive(Clone, Copy)]
struct Subject<'a> {
    domain: &'a Domain,
    setting: Option<&'a VmSetting>,
    running: bool,
    pair: Option<Pair<'a>>,
    /// The VF that its XML lists while it runs.
    vf: Option<&'a Vnic>,
    found: Option<(&'a Adapter, &'a Vf)>,
    watched: Option<&'a Watched>,
}

impl<'a> VmViews<'a> {
    pub fn new(world: &'a World, vms: &'a VmReconciler) -> Self {
        VmViews {
            world,
            vms,
            switch: world.switch(),
        }
    }

    /// The VMs of the node, by name; then those that have a setting and no longer exist.
    pub fn all(&self) -> Vec<VmView> {
        let domains = self.world.snapshot.domains().iter();
        let here = domains.map(|domain| self.vm(domain));
        let gone = self.gone().map(|setting| self.gone_vm(setting));
        here.chain(gone).collect()
    }

    /// Settings of VMs that no longer exist.
    pub fn gone(&self) -> impl Iterator<Item = &'a VmSetting> {
        let world = self.world;
        let known = world.snapshot.has_domains();
        let own = world.own_settings().filter(move |_| known);
        own.filter(|setting| world.snapshot.domain(&setting.uuid).is_none())
    }

    /// A VM that no longer exists.
    pub fn gone_vm(&self, setting: &VmSetting) -> VmView {
        VmView {
            name: setting.name.to_string(),
            uuid: setting.uuid.clone(),
            node: self.world.node.to_string(),
            state: DomainState::Unknown,
            vcpus: 0,
            acceleration: State::Gone,
            performance: Some(setting.performance),
            phase: Some(setting.phase),
            path: Path::Unknown,
            adapter: None,
            vf: None,
            vnics: Vec::new(),
            security: None,
            vnic_settings: Vec::new(),
            verified: Vec::new(),
            conditions: vec![format!(
                "libvirt on {} no longer has it; 'accelnet vm disable {}' forgets its setting",
                self.world.node, setting.name
            )],
            destinations: Vec::new(),
            last_report: None,
        }
    }

    /// A VM of this node.
    pub fn vm(&self, domain: &Domain) -> VmView {
        let world = self.world;
        let setting = world.policy.vm(&domain.uuid);
        let running = domain.state.holds_devices();
        let pair = setting.map(|setting| world.pair(&domain.vnics, setting.mac));
        let vf = pair.and_then(|pair| pair.vf).filter(|_| running);
        let subject = Subject {
            domain,
            setting,
            running,
            pair,
            vf,
            found: vf.and_then(|vf| world.snapshot.vf(vf.host_device?)),
            watched: self.vms.paths.of(&domain.uuid).filter(|_| vf.is_some()),
        };
        let (path, acceleration) = (subject.path(), self.acceleration(subject));
        VmView {
            name: domain.name.clone(),
            uuid: domain.uuid.clone(),
            node: world.node.to_string(),
            state: domain.state,
            vcpus: domain.vcpus,
            acceleration,
            performance: setting.map(|setting| setting.performance),
            phase: setting.map(|setting| setting.phase),
            path,
            adapter: subject.found.map(|(adapter, _)| adapter.name()),
            vf: vf.and_then(|vf| vf.host_device),
            vnics: domain
                .vnics
                .iter()
                .map(|vnic| self.vnic(subject, vnic))
                .collect(),
            security: setting.map(|setting| world.security(setting)),
            vnic_settings: setting.map_or(Vec::new(), |setting| {
                self.vms.vnics.carried_lines(domain, setting.mac)
            }),
            verified: match setting {
                Some(setting) if running => self.verified(subject, setting),
                _ => Vec::new(),
            },
            conditions: self.conditions(subject, path, acceleration),
            destinations: Vec::new(),
            last_report: None,
        }
    }

    fn vnic(&self, subject: Subject<'_>, vnic: &Vnic) -> VnicView {
        let pair = subject.pair;
        let is = |of: Option<&Vnic>| of == Some(vnic);
        let role = match pair {
            Some(pair) if is(pair.vf) => Some("VF".to_owned()),
            Some(pair) if is(pair.nic) => Some("software path".to_owned()),
            _ => None,
        };
        let switch = self.switch.as_ref();
        VnicView {
            mac: vnic.mac,
            model: match vnic.host_device.is_some() || vnic.kind == "hostdev" {
                true => "VF".to_owned(),
                false => vnic.model.clone().unwrap_or_else(|| "default".to_owned()),
            },
            source: vnic.source.clone(),
            on_intent_switch: switch.is_some_and(|switch| switch.has(vnic)),
            role,
        }
    }

    fn acceleration(&self, subject: Subject<'_>) -> State {
        let (Some(setting), Some(pair)) = (subject.setting, subject.pair) else {
            return State::NotAccelerated;
        };
        if !self.world.policy.management.enabled {
            return State::Unmanaged;
        }
        if setting.phase != Phase::Enabled {
            return State::Changing;
        }
        let is_unfit = self.vms.conditions.unfit(&setting.uuid).is_some();
        match (subject.running, subject.vf.is_some()) {
            (true, true) if subject.watched.is_some_and(Watched::is_late) => State::Degraded,
            (false, _) if is_unfit => State::Degraded,
            (false, _) | (true, true) => State::Accelerated,
            (true, false) if pair.can_fail_over() => State::Degraded,
            (true, false) => State::WaitsForRestart,
        }
    }

    fn conditions(&self, subject: Subject<'_>, path: Path, acceleration: State) -> Vec<String> {
        let (vms, uuid) = (self.vms, &subject.domain.uuid);
        let mut conditions = Vec::new();
        if acceleration == State::WaitsForRestart {
            conditions.push(
                "its running vNIC has no failover feature: the VF comes when the VM is stopped and started"
                    .to_owned(),
            );
        }
        if let Some(watched) = subject.watched.filter(|_| path != Path::Vf) {
            conditions.push(format!(
                "its VF is attached, and its guest is not seen to use it: {}; the software path receives, too",
                watched.verdict.why
            ));
        } else if acceleration == State::Degraded {
            let detached = vms.detached.reason(uuid);
            let detached = detached.map(|why| why.trim_end_matches('.').to_owned());
            let reason = vms.conditions.reason(uuid).map(str::to_owned);
            let without = || "it runs without its VF".to_owned();
            conditions.push(detached.or(reason).unwrap_or_else(without));
        }
        if let Some(setting) = subject.setting
            && vms.runs_twice(self.world, setting, subject.domain)
        {
            conditions.push(format!(
                "it runs on this node, and {} has taken it over: it must not run on both nodes",
                setting.node
            ));
        }
        conditions
    }

    /// What is verified of a running VM.
    fn verified(&self, subject: Subject<'_>, setting: &VmSetting) -> Vec<Verified> {
        let Some(vf) = subject.vf else {
            return vec![line("VF attached", Some(false), "the VM has none")];
        };
        let address = match vf.host_device {
            Some(address) => address.to_string(),
            None => "a VF without address".to_owned(),
        };
        let Some((adapter, vf)) = subject.found else {
            let detail = format!("{address} is of no adapter that could be read");
            return vec![line("VF attached", None, detail)];
        };
        let name = format!("VF {} of {} ({address})", vf.index, adapter.name());
        let mut lines = evidence(&name, subject.watched);
        lines.push(match vf.driver.known() {
            Some(Some(driver)) => line("driver", Some(driver.starts_with("vfio")), driver),
            Some(None) => line("driver", Some(false), "none"),
            None => line("driver", None, vf.driver.reason().unwrap_or_default()),
        });
        match vf.settings.known() {
            Some(settings) => lines.extend(self.settings(setting, adapter, settings)),
            None => {
                let reason = vf.settings.reason().unwrap_or_default();
                lines.extend(["MAC", "transmit rate"].map(|what| line(what, None, reason)));
            }
        }
        let figures = &self.world.policy.management.performance;
        lines.push(queue_pairs(vf, figures.of(setting.performance).queue_pairs));
        let carrier = adapter.interfaces.first().map(|one| one.link.carrier);
        let name = adapter.name();
        lines.push(match carrier {
            Some(true) => line("carrier", Some(true), format!("{name} has link")),
            Some(false) => line("carrier", Some(false), format!("{name} has no link")),
            None => line("carrier", None, "the adapter has no netdev here"),
        });
        let watched = self.vms.paths.of(&subject.domain.uuid);
        let evidence = watched.map(Watched::evidence);
        lines.push(self.vms.guests.answer(subject.domain, evidence));
        lines
    }

    /// The settings of a VF, compared with those of its VM.
    fn settings(&self, setting: &VmSetting, adapter: &Adapter, now: &VfSettings) -> Vec<Verified> {
        let (world, vnics) = (self.world, &self.vms.vnics);
        let wanted = world.security(setting);
        let mac = line("MAC", Some(now.mac == setting.mac), now.mac.to_string());
        let rate = match rate(world, vnics, setting, adapter) {
            Err(reason) => line("transmit rate", None, reason),
            Ok(rate) => {
                let detail = match now.max_tx_rate {
                    0 => "no limit".to_owned(),
                    rate => format!("{rate} Mb/s"),
                };
                line("transmit rate", Some(now.max_tx_rate == rate), detail)
            }
        };
        let security = |what, wanted: bool, now: Option<bool>| {
            let detail = match now {
                Some(now) => OnOff(now).to_string(),
                None => "the driver does not report it".to_owned(),
            };
            line(what, now.map(|now| now == wanted), detail)
        };
        vec![
            mac,
            rate,
            security("trust", wanted.trust, now.trust),
            security("spoof check", wanted.spoof_check, now.spoof_check),
        ]
    }
}

impl Subject<'_> {
    fn path(self) -> Path {
        match (self.running, self.domain.state) {
            (_, DomainState::Unknown) => Path::Unknown,
            (false, _) => Path::NotRunning,
            (true, _) if self.vf.is_none() => Path::Software,
            (true, _) => match self.watched.map(|watched| watched.verdict.path) {
                Some(vf_path::Path::Vf) => Path::Vf,
                Some(vf_path::Path::Software) => Path::Software,
                Some(vf_path::Path::Unknown) | None => Path::Unknown,
            },
        }
    }
}

fn line(check: &str, ok: Option<bool>, detail: impl Into<String>) -> Verified {
    Verified {
        check: check.to_owned(),
        ok,
        detail: detail.into(),
    }
}

fn queue_pairs(vf: &Vf, wanted: u32) -> Verified {
    match vf.msix_vectors.known() {
        Some(Some(vectors)) => {
            let pairs = vf_settings::queue_pairs(*vectors);
            let detail =
                format!("{pairs} for the {wanted} that were asked ({vectors} MSI-X vectors)");
            line("queue pairs", Some(pairs >= wanted), detail)
        }
        Some(None) => {
            let detail = "the VF has no MSI-X, by which they are counted";
            line("queue pairs", None, detail)
        }
        None => line(
            "queue pairs",
            None,
            vf.msix_vectors.reason().unwrap_or_default(),
        ),
    }
}

/// Whether the guest of a running VM has its VF, and the evidence.
fn evidence(vf: &str, watched: Option<&Watched>) -> Vec<Verified> {
    let seen = watched.map(Watched::evidence);
    let Some((seen, host)) = seen.and_then(|seen| Some((seen, seen.vf.as_ref()?))) else {
        let detail = format!("{vf}; QEMU was not asked yet");
        return vec![line("VF attached", None, detail)];
    };
    let (held, plugged) = match (&host.held, host.bus_master.known()) {
        (Observed::Known(Holding::Held(file)), _) => {
            (Some(true), format!("{vf}; QEMU holds {file}"))
        }
        (Observed::Known(Holding::NotHeld), _) => (
            Some(false),
            format!("{vf} is in its XML, and QEMU does not hold it"),
        ),
        (Observed::Unknown(_), Some(true)) => (Some(true), format!("{vf}; a driver works it")),
        (Observed::Unknown(reason), _) => (None, format!("{vf}; {reason}")),
    };
    let driven = match &host.bus_master {
        Observed::Known(true) => "a driver of the guest works the VF: bus master is on",
        Observed::Known(false) => "no driver of the guest works the VF: bus master is off",
        Observed::Unknown(reason) => reason,
    };
    let negotiated = match (seen.negotiated, held) {
        (Some(true), _) => "QEMU reported it",
        (Some(false), _) => "not since the guest rebooted",
        (None, Some(true)) => "QEMU plugs a VF only then",
        (None, _) => "QEMU has not reported it since the agent began",
    };
    let failover = seen.negotiated.or(held.filter(|held| *held));
    vec![
        line("VF attached", held, plugged),
        line("failover negotiated", failover, negotiated),
        line(
            "guest drives the VF",
            host.bus_master.known().copied(),
            driven,
        ),
    ]
}

/// MACs in use on a node, each with its owner; that of a pair once.
pub(crate) fn macs(snapshot: &Snapshot) -> Vec<(Mac, String)> {
    let mut macs: Vec<(Mac, String)> = Vec::new();
    for domain in snapshot.domains() {
        let own = domain.vnics.iter().filter_map(|vnic| vnic.mac);
        macs.extend(own.map(|mac| (mac, domain.name.clone())));
    }
    for adapter in snapshot.adapters() {
        for interface in &adapter.interfaces {
            let mac = interface.link.permanent_mac.or(interface.link.mac);
            macs.extend(mac.map(|mac| (mac, format!("adapter {}", interface.link.name))));
        }
    }
    macs.sort();
    macs.dedup();
    macs
}
