//! What readers are shown: VMs, and the whole picture of a node.

use std::time::Duration;

use accelnet_api::types::{Path, State, Verified, VmView, VnicView};
use accelnet_host::vms::VirtualNetwork;
use accelnet_model::domain::{DomainState, Vnic};
use accelnet_model::vf_evidence::Holding;
use accelnet_model::vf_security::OnOff;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Adapter, Domain, Mac, Node, Observed, Vf, VmSetting};
use accelnet_rules::pair::Pair;
use accelnet_rules::vf_path;
use accelnet_rules::vm::Switch;

use crate::core::paths::Watched;
use crate::core::{Core, Seen, security_of};
use crate::policy::Policy;
use crate::reports::Report;

/// The newest that is known of a node.
#[derive(Debug, Clone)]
pub struct Picture {
    /// The node as it was seen.
    pub node: Node,
    /// libvirt's networks.
    pub networks: Observed<Vec<VirtualNetwork>>,
    /// What it reports.
    pub report: Report,
    /// Revision of the policy that it was brought to.
    pub applied_revision: u64,
    /// Whether it never existed.
    pub simulated: bool,
    /// When it was seen, on the clock that never goes back.
    pub seen_at: Duration,
}

impl Picture {
    /// A node of which nothing was seen yet.
    pub fn empty(name: &str, now: &str) -> Self {
        let unknown = "the agent has no snapshot yet";
        Picture {
            node: Node::unseen(name, now, unknown),
            networks: Observed::unknown(unknown),
            report: Report::unobserved(name, now, unknown),
            applied_revision: 0,
            simulated: false,
            seen_at: Duration::ZERO,
        }
    }
}

/// How VMs are shown, and what is the same for all of them.
pub(crate) struct Views<'a> {
    core: &'a Core,
    seen: &'a Seen,
    policy: &'a Policy,
    pool: String,
    switch: Option<Switch>,
}

impl<'a> Views<'a> {
    pub fn of(core: &'a Core, seen: &'a Seen, policy: &'a Policy) -> Self {
        let pool = policy.managed_intent().map(|intent| intent.pool_network());
        Views {
            core,
            seen,
            policy,
            pool: pool.unwrap_or_default(),
            switch: core.switch(policy, seen),
        }
    }

    /// The VMs of the node, by name; then those that have a setting and are no longer there.
    pub fn all(&self) -> Vec<VmView> {
        let here = self.seen.domains().iter().map(|domain| self.vm(domain));
        let gone = self.gone().map(|setting| self.gone_vm(setting));
        here.chain(gone).collect()
    }

    /// Settings of VMs that are no longer there.
    pub fn gone(&self) -> impl Iterator<Item = &'a VmSetting> {
        let (name, seen) = (&self.core.name, self.seen);
        let known = seen.node.domains.known().is_some();
        let all = self.policy.vms.iter().filter(move |_| known);
        let all = all.map(|(setting, _)| setting);
        all.filter(move |setting| setting.node == *name && seen.domain(&setting.uuid).is_none())
    }

    /// A VM that is no longer there.
    pub fn gone_vm(&self, setting: &VmSetting) -> VmView {
        gone_vm(self.core, setting)
    }
}

fn gone_vm(core: &Core, setting: &VmSetting) -> VmView {
    VmView {
        name: setting.name.to_string(),
        uuid: setting.uuid.clone(),
        node: core.name.clone(),
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
            core.name, setting.name
        )],
        destinations: Vec::new(),
        last_report: None,
    }
}

impl Views<'_> {
    /// One VM.
    pub fn vm(&self, domain: &Domain) -> VmView {
        shown(self, domain)
    }
}

fn shown(views: &Views<'_>, domain: &Domain) -> VmView {
    let Views {
        core, seen, policy, ..
    } = *views;
    let setting = policy.vm(&domain.uuid);
    let running = domain.state.holds_devices();
    let pair = setting.map(|setting| Pair::of(&domain.vnics, setting.mac, &views.pool));
    let vf = pair.and_then(|pair| pair.vf).filter(|_| running);
    let found = vf.and_then(|vf| find_vf(seen, vf));
    let watched = core.path_of(&domain.uuid).filter(|_| vf.is_some());
    let path = match (running, vf.is_some(), domain.state) {
        (_, _, DomainState::Unknown) => Path::Unknown,
        (false, ..) => Path::NotRunning,
        (true, true, _) => proved(watched),
        (true, false, _) => Path::Software,
    };
    let switch = views.switch.as_ref();
    let vnics = domain.vnics.iter().map(|vnic| VnicView {
        mac: vnic.mac,
        model: match vnic.host_device.is_some() || vnic.kind == "hostdev" {
            true => "VF".to_owned(),
            false => vnic.model.clone().unwrap_or_else(|| "default".to_owned()),
        },
        source: vnic.source.clone(),
        on_intent_switch: switch.is_some_and(|switch| switch.has(vnic)),
        role: role(setting, pair, vnic),
    });
    let acceleration = match (setting, pair) {
        (None, _) | (_, None) => State::NotAccelerated,
        (Some(_), _) if !policy.management.enabled => State::Unmanaged,
        (Some(setting), _) if setting.phase != Phase::Enabled => State::Changing,
        (Some(_), Some(pair)) => match (running, vf.is_some(), pair.can_fail_over()) {
            (true, true, _) if watched.is_some_and(Watched::is_late) => State::Degraded,
            (false, ..) if core.unfit_of(&domain.uuid).is_some() => State::Degraded,
            (false, ..) | (true, true, _) => State::Accelerated,
            (true, false, true) => State::Degraded,
            (true, false, false) => State::WaitsForRestart,
        },
    };
    let verified = match setting {
        Some(setting) if running => verify(core, policy, setting, domain, vf, found, watched),
        _ => Vec::new(),
    };
    let mut remarks = Vec::new();
    if acceleration == State::WaitsForRestart {
        remarks.push(
            "its running vNIC has no failover feature: the VF comes when the VM is stopped and started"
                .to_owned(),
        );
    }
    if let Some(watched) = watched.filter(|_| path != Path::Vf) {
        remarks.push(format!(
            "its VF is attached, and its guest is not seen to use it: {}; the software path receives, too",
            watched.verdict.why
        ));
    } else if acceleration == State::Degraded {
        let taken_back = core.why_taken_back(&domain.uuid);
        let taken_back = taken_back.map(|why| why.trim_end_matches('.').to_owned());
        let why = taken_back.or(core.reason_of(&domain.uuid));
        remarks.push(why.unwrap_or_else(|| "it runs without its VF".to_owned()));
    }
    if let Some(setting) = setting.filter(|setting| core.runs_twice(setting, domain)) {
        remarks.push(format!(
            "it runs on this node, and {} has taken it over: it must not run on both nodes",
            setting.node
        ));
    }
    VmView {
        name: domain.name.clone(),
        uuid: domain.uuid.clone(),
        node: core.name.clone(),
        state: domain.state,
        vcpus: domain.vcpus,
        acceleration,
        performance: setting.map(|setting| setting.performance),
        phase: setting.map(|setting| setting.phase),
        path,
        adapter: found.map(|(adapter, _)| adapter.name()),
        vf: vf.and_then(|vf| vf.host_device),
        vnics: vnics.collect(),
        security: setting.map(|setting| security_of(policy, setting)),
        vnic_settings: setting.map_or(Vec::new(), |setting| {
            core.carried_lines(domain, setting.mac)
        }),
        verified,
        conditions: remarks,
        destinations: Vec::new(),
        last_report: None,
    }
}

fn role(setting: Option<&VmSetting>, pair: Option<Pair<'_>>, vnic: &Vnic) -> Option<String> {
    setting?;
    let pair = pair?;
    match (pair.vf == Some(vnic), pair.nic == Some(vnic)) {
        (true, _) => Some("VF".to_owned()),
        (_, true) => Some("software path".to_owned()),
        _ => None,
    }
}

/// The adapter and the VF that a running VM's interface is.
pub(crate) fn find_vf<'a>(seen: &'a Seen, vnic: &Vnic) -> Option<(&'a Adapter, &'a Vf)> {
    seen.vf(vnic.host_device?)
}

/// What is so of a running VM, one line each.
fn verify(
    core: &Core,
    policy: &Policy,
    setting: &VmSetting,
    domain: &Domain,
    vf: Option<&Vnic>,
    found: Option<(&Adapter, &Vf)>,
    watched: Option<&Watched>,
) -> Vec<Verified> {
    let line = |what: &str, so: Option<bool>, seen: String| Verified {
        check: what.to_owned(),
        ok: so,
        detail: seen,
    };
    let Some(vf) = vf else {
        return vec![line(
            "VF attached",
            Some(false),
            "the VM has none".to_owned(),
        )];
    };
    let address = vf.host_device.map(|address| address.to_string());
    let address = address.unwrap_or_else(|| "a VF without address".to_owned());
    let Some((adapter, vf)) = found else {
        return vec![line(
            "VF attached",
            None,
            format!("{address} is of no adapter that could be read"),
        )];
    };
    let mut lines = evidence(
        &format!("VF {} of {} ({address})", vf.index, adapter.name()),
        watched,
    );
    lines.push(match vf.driver.known() {
        Some(Some(driver)) => line("driver", Some(driver.starts_with("vfio")), driver.clone()),
        Some(None) => line("driver", Some(false), "none".to_owned()),
        None => line(
            "driver",
            None,
            vf.driver.reason().unwrap_or_default().to_owned(),
        ),
    });
    match vf.settings.known() {
        Some(settings) => {
            lines.push(line(
                "MAC",
                Some(settings.mac == setting.mac),
                settings.mac.to_string(),
            ));
            let wanted = core.rate(policy, setting, adapter);
            lines.push(match wanted {
                Ok(rate) => line(
                    "transmit rate",
                    Some(settings.max_tx_rate == rate),
                    in_words(settings.max_tx_rate),
                ),
                Err(reason) => line("transmit rate", None, reason),
            });
            let wanted = security_of(policy, setting);
            for (what, wanted, seen) in [
                ("trust", wanted.trust, settings.trust),
                ("spoof check", wanted.spoof_check, settings.spoof_check),
            ] {
                let words = seen.map_or_else(
                    || "the driver does not report it".to_owned(),
                    |seen| OnOff(seen).to_string(),
                );
                lines.push(line(what, seen.map(|seen| seen == wanted), words));
            }
        }
        None => {
            let reason = vf.settings.reason().unwrap_or_default();
            lines.push(line("MAC", None, reason.to_owned()));
            lines.push(line("transmit rate", None, reason.to_owned()));
        }
    }
    let figure = policy.management.performance.of(setting.performance);
    lines.push(match vf.msix_vectors.known() {
        Some(Some(vectors)) => {
            let pairs = queue_pairs(*vectors);
            let seen = format!(
                "{pairs} for the {} that were asked ({vectors} MSI-X vectors)",
                figure.queue_pairs
            );
            line("queue pairs", Some(pairs >= figure.queue_pairs), seen)
        }
        Some(None) => line(
            "queue pairs",
            None,
            "the VF has no MSI-X, by which they are counted".to_owned(),
        ),
        None => {
            let reason = vf.msix_vectors.reason().unwrap_or_default();
            line("queue pairs", None, reason.to_owned())
        }
    });
    let carrier = adapter.interfaces.iter().map(|one| one.link.carrier).next();
    lines.push(match carrier {
        Some(true) => line(
            "carrier",
            Some(true),
            format!("{} has link", adapter.name()),
        ),
        Some(false) => line(
            "carrier",
            Some(false),
            format!("{} has no link", adapter.name()),
        ),
        None => line("carrier", None, "the adapter has no netdev here".to_owned()),
    });
    lines.push(core.guest_word(domain));
    lines
}

/// The path of a VM that has a VF by its XML.
fn proved(watched: Option<&Watched>) -> Path {
    match watched.map(|watched| watched.verdict.path) {
        Some(vf_path::Path::Vf) => Path::Vf,
        Some(vf_path::Path::Software) => Path::Software,
        Some(vf_path::Path::Unknown) | None => Path::Unknown,
    }
}

/// Whether the guest of a running VM has its VF, and what shows it.
fn evidence(vf: &str, watched: Option<&Watched>) -> Vec<Verified> {
    let line = |what: &str, so: Option<bool>, seen: String| Verified {
        check: what.to_owned(),
        ok: so,
        detail: seen,
    };
    let seen = watched.map(Watched::seen);
    let Some((seen, host)) = seen.and_then(|seen| Some((seen, seen.vf.as_ref()?))) else {
        return vec![line(
            "VF attached",
            None,
            format!("{vf}; QEMU was not asked yet"),
        )];
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
        Observed::Known(true) => "a driver of the guest works the VF: bus master is on".to_owned(),
        Observed::Known(false) => {
            "no driver of the guest works the VF: bus master is off".to_owned()
        }
        Observed::Unknown(reason) => reason.clone(),
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
        line("failover negotiated", failover, negotiated.to_owned()),
        line(
            "guest drives the VF",
            host.bus_master.known().copied(),
            driven,
        ),
    ]
}

/// The queue pairs of a VF: a vector for each, and one for its mailbox.
pub(crate) fn queue_pairs(vectors: u16) -> u32 {
    u32::from(vectors).saturating_sub(1).max(1)
}

fn in_words(rate: u32) -> String {
    match rate {
        0 => "no limit".to_owned(),
        rate => format!("{rate} Mb/s"),
    }
}

/// MACs in use on a node, each with who has it; of a pair, once.
pub(crate) fn macs(seen: &Seen) -> Vec<(Mac, String)> {
    let mut macs: Vec<(Mac, String)> = Vec::new();
    for domain in seen.domains() {
        let mut own: Vec<Mac> = domain.vnics.iter().filter_map(|vnic| vnic.mac).collect();
        own.sort();
        own.dedup();
        macs.extend(own.into_iter().map(|mac| (mac, domain.name.clone())));
    }
    for adapter in seen.adapters() {
        for interface in &adapter.interfaces {
            let mac = interface.link.permanent_mac.or(interface.link.mac);
            macs.extend(mac.map(|mac| (mac, format!("adapter {}", interface.link.name))));
        }
    }
    macs.sort();
    macs.dedup();
    macs
}
