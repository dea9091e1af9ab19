//! The two interfaces of an accelerated VM: its vNIC, which is always there, and the VF that
//! carries its traffic, under one MAC. A [`Plan`] has the steps between the two states.

use std::fmt;

use accelnet_model::domain::{PciSlots, Teaming, VF_ALIAS, Vnic};
use accelnet_model::{Code, Domain, Mac, Problem};

/// The pair with one MAC, on one side of a domain: what runs, or what it starts with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair<'a> {
    /// The software path.
    pub nic: Option<&'a Vnic>,
    /// The VF.
    pub vf: Option<&'a Vnic>,
    /// The replacement of the VF in a VM that came to a node without a free one.
    pub stand_in: Option<&'a Vnic>,
    /// The VLAN that the VF is to be in, 0 for none; none where any is right.
    pub vlan: Option<u16>,
}

impl<'a> Pair<'a> {
    /// The pair with `mac` among `vnics`, whose VF comes from the libvirt network `pool`.
    pub fn of(vnics: &'a [Vnic], mac: Mac, pool: &str) -> Self {
        let mine = || vnics.iter().filter(|vnic| vnic.mac == Some(mac));
        let stands_in = |vnic: &&Vnic| {
            let alias = vnic.alias.as_deref().unwrap_or_default();
            !is_vf(vnic, pool) && alias.starts_with(VF_ALIAS)
        };
        Pair {
            nic: mine().find(|vnic| !is_vf(vnic, pool) && !stands_in(vnic)),
            vf: mine().find(|vnic| is_vf(vnic, pool)),
            stand_in: mine().find(stands_in),
            vlan: None,
        }
    }

    /// Whether the vNIC can give way to a VF: the failover feature is fixed when it is plugged.
    pub fn can_fail_over(&self) -> bool {
        self.nic
            .is_some_and(|nic| nic.teaming == Some(Teaming::Persistent))
    }

    /// The same, whose VF is to be in that VLAN, 0 for none; none where any is right.
    #[must_use]
    pub fn in_vlan(self, vlan: Option<u16>) -> Self {
        Pair { vlan, ..self }
    }

    /// Whether the VF's partner is this vNIC, in its VLAN.
    fn is_joined(&self) -> bool {
        let (Some(nic), Some(vf)) = (self.nic, self.vf) else {
            return false;
        };
        match (&vf.teaming, &nic.alias) {
            (Some(Teaming::Transient { persistent }), Some(alias)) => {
                persistent == alias && self.vlan.is_none_or(|vlan| vlan == vlan_of(vf))
            }
            _ => false,
        }
    }
}

/// The vNIC with `mac` must not have a VF of its owner's beside it, which `disable` would remove.
///
/// # Errors
///
/// It has one, in `vm` as it is defined or as it runs.
pub fn has_no_other_vf(vm: &Domain, mac: Mac, pool: &str) -> Result<(), Problem> {
    let given = |vnic: &&Vnic| {
        let alias = vnic.alias.as_deref().unwrap_or_default();
        alias.starts_with(VF_ALIAS)
    };
    let mut vfs = vm.vnics.iter().filter(|vnic| vnic.mac == Some(mac));
    match vfs.find(|vnic| is_vf(vnic, pool) && !given(vnic)) {
        None => Ok(()),
        Some(vf) => {
            let alias = vf.alias.as_deref().unwrap_or("no alias");
            let found =
                format!("Its vNIC {mac} has a VF already ({alias}), which accelnet did not add.");
            Err(Problem::new(Code::VmUnfit, &[&vm.name], found)
                .needed("A vNIC without a VF.")
                .resolution(
                    "Remove that interface with 'virsh detach-device' or 'virsh edit', then run the same command again.",
                ))
        }
    }
}

/// The VLAN that libvirt puts a VF into, 0 for none.
fn vlan_of(vf: &Vnic) -> u16 {
    let tags = vf.vlan.as_ref().map(|vlan| vlan.tags.as_slice());
    tags.and_then(<[u16]>::first).copied().unwrap_or(0)
}

/// Whether an interface is a VF and no software path.
fn is_vf(vnic: &Vnic, pool: &str) -> bool {
    vnic.host_device.is_some()
        || vnic.kind == "hostdev"
        || matches!(vnic.teaming, Some(Teaming::Transient { .. }))
        || (vnic.kind == "network" && vnic.source.as_deref() == Some(pool))
}

/// One step; each can be done twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Write the hook config for the VF that libvirt will choose.
    WriteConfig,
    /// Set the failover feature and the alias of the vNIC in the definition.
    JoinNic,
    /// Add a root port for the VF to the definition.
    DefinePort,
    /// Put the VF into the definition.
    DefineVf,
    /// Take the running vNIC out and put it in again, with the failover feature.
    ReplugNic,
    /// Remove the replacement of the VF from the running VM.
    DropStandIn,
    /// Attach the VF to the running VM.
    AttachVf,
    /// Detach the VF from the running VM.
    DetachVf,
    /// Take the VF out of the definition.
    UndefineVf,
    /// Remove the root port of the VF from the definition.
    UndefinePort,
    /// Restore the vNIC of the definition.
    PartNic,
    /// Remove the hook config.
    Forget,
}

impl Step {
    /// Whether a running VM's network is touched.
    pub fn touches_running(self) -> bool {
        matches!(self, Step::ReplugNic | Step::AttachVf | Step::DetachVf)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::WriteConfig => "write the hook config of its VF: queue pairs, rate, MAC, VLAN",
            Step::JoinNic => "enable failover on the vNIC in its definition",
            Step::DefinePort => "add a PCI Express port for its VF to its definition",
            Step::DefineVf => "add a VF from the pool to its definition",
            Step::ReplugNic => "re-plug its running vNIC with failover",
            Step::DropStandIn => "remove the device that replaced its VF",
            Step::AttachVf => "attach a VF to the running VM",
            Step::DetachVf => "detach the VF from the running VM",
            Step::UndefineVf => "remove the VF from its definition",
            Step::UndefinePort => "remove the PCI Express port of its VF from its definition",
            Step::PartNic => "disable failover on the vNIC in its definition",
            Step::Forget => "delete the hook config of its VF",
        })
    }
}

/// The steps of one VM, with the reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In this order.
    pub steps: Vec<Step>,
    /// Whether the running VM gets its VF only at its next start.
    pub waits_for_restart: bool,
    /// The reason.
    pub why: String,
}

impl Plan {
    /// The same for a definition with these places. Without a free place libvirt would add a port, and
    /// never remove it.
    #[must_use]
    pub fn with_port(mut self, slots: &PciSlots) -> Self {
        let vf = self.steps.iter().position(|step| *step == Step::DefineVf);
        let frees_one = self.steps.contains(&Step::UndefineVf);
        if let (Some(vf), Some(0), false) = (vf, slots.free, frees_one) {
            self.steps.insert(vf, Step::DefinePort);
        }
        self
    }

    /// The same for a definition with these places, without accelnet's ports.
    #[must_use]
    pub fn without_port(mut self, slots: &PciSlots) -> Self {
        if slots.accelnet_root_ports > 0 {
            let vf = self.steps.iter().position(|step| *step == Step::UndefineVf);
            let forget = self.steps.iter().position(|step| *step == Step::Forget);
            let place = vf.map(|vf| vf + 1).or(forget);
            self.steps
                .insert(place.unwrap_or(self.steps.len()), Step::UndefinePort);
        }
        self
    }
}

/// The plan to a VM with its VF. `live` is none for a VM that does not run; `now` permits a
/// running vNIC to be re-plugged; `again` takes a VF away and gives it again, because what it
/// is to have can only be set before a guest has it.
pub fn join(config: Pair<'_>, live: Option<Pair<'_>>, now: bool, again: bool) -> Plan {
    let mut steps = vec![Step::WriteConfig];
    let mut why = Vec::new();
    if config.vf.is_some() && !config.is_joined() {
        steps.push(Step::UndefineVf);
    }
    if !config.can_fail_over() || config.nic.is_some_and(|nic| nic.alias.is_none()) {
        steps.push(Step::JoinNic);
        why.push("its definition has no pair yet");
    }
    if config.vf.is_none() || !config.is_joined() {
        steps.push(Step::DefineVf);
    }
    let mut waits_for_restart = false;
    if live.is_some_and(|live| live.stand_in.is_some()) {
        steps.push(Step::DropStandIn);
        why.push("it came to this node when no VF was free");
    }
    if let Some(live) = live {
        match (live.vf.is_some(), live.can_fail_over()) {
            (true, _) if again => {
                steps.extend([Step::DetachVf, Step::AttachVf]);
                why.push("queue pairs can only change while no guest has the VF");
            }
            (true, _) => why.push("the running VM has its VF"),
            (false, true) => {
                steps.push(Step::AttachVf);
                why.push("the running vNIC has the failover feature");
            }
            (false, false) if now => {
                steps.extend([Step::ReplugNic, Step::AttachVf]);
                why.push("the running vNIC has no failover feature, and --now re-plugs it");
            }
            (false, false) => {
                waits_for_restart = true;
                why.push(
                    "the running vNIC has no failover feature: the VF comes with the next start",
                );
            }
        }
    } else {
        why.push("the VM does not run: the VF comes with its next start");
    }
    Plan {
        steps,
        waits_for_restart,
        why: why.join("; "),
    }
}

/// The plan that detaches a VF which would bypass its vNIC's settings: of its definition, of what runs, or
/// of both.
pub fn hold(config: Pair<'_>, live: Pair<'_>) -> Plan {
    let mut steps = Vec::new();
    if live.vf.is_some() {
        steps.push(Step::DetachVf);
    }
    if config.vf.is_some() {
        steps.push(Step::UndefineVf);
    }
    Plan {
        steps,
        waits_for_restart: false,
        why: "its VF would bypass the settings of its vNIC".to_owned(),
    }
}

/// The plan to a VF for a running VM without a definition.
pub fn join_transient(live: Pair<'_>) -> Plan {
    let mut steps = vec![Step::WriteConfig];
    if live.stand_in.is_some() {
        steps.push(Step::DropStandIn);
    }
    let mut waits_for_restart = false;
    let why = match (live.vf.is_some(), live.can_fail_over()) {
        (true, _) => "the running VM has its VF",
        (false, true) => {
            steps.push(Step::AttachVf);
            "the running vNIC has the failover feature"
        }
        (false, false) => {
            waits_for_restart = true;
            "the running vNIC has no failover feature, and the VM has no definition that could get it"
        }
    };
    Plan {
        steps,
        waits_for_restart,
        why: why.to_owned(),
    }
}

/// The plan to a definition that can be started on a node without a VF for it.
pub fn ready(config: Pair<'_>) -> Plan {
    let mut steps = Vec::new();
    let mut why = Vec::new();
    if config.nic.is_some() && config.vf.is_some() {
        steps.push(Step::UndefineVf);
        why.push("its definition requests no VF, so that it also starts without a free VF");
    }
    let named = config.nic.is_some_and(|nic| nic.alias.is_some());
    if config.nic.is_some() && !(config.can_fail_over() && named) {
        steps.push(Step::JoinNic);
        why.push("its vNIC has the failover feature");
    }
    Plan {
        steps,
        waits_for_restart: false,
        why: why.join("; "),
    }
}

/// The plan back to the software path alone. `teamed` leaves the vNIC of the definition its
/// failover feature: it had it before. An alias that was given it goes in any case.
pub fn part(config: Pair<'_>, live: Option<Pair<'_>>, teamed: bool) -> Plan {
    let mut steps = Vec::new();
    if live.is_some_and(|live| live.stand_in.is_some()) {
        steps.push(Step::DropStandIn);
    }
    if live.is_some_and(|live| live.vf.is_some()) {
        steps.push(Step::DetachVf);
    }
    if config.vf.is_some() {
        steps.push(Step::UndefineVf);
    }
    let named = config.nic.is_some_and(Vnic::has_given_alias);
    if named || (config.can_fail_over() && !teamed) {
        steps.push(Step::PartNic);
    }
    steps.push(Step::Forget);
    Plan {
        steps,
        waits_for_restart: false,
        why: "the VM returns to its software path, with its MAC".to_owned(),
    }
}

#[cfg(test)]
mod tests;
