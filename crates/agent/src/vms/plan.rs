//! The plans of one VM: to its VF, to a repair, to its software path. They read nothing; the VM's definition is read
//! before.

use accelnet_api::types::PlannedStep;
use accelnet_host::vms::Side;
use accelnet_libvirt::xml::Definition;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Problem, VmSetting};
use accelnet_rules::pair::{self, Pair, Plan, Step};
use accelnet_rules::vf_settings::shares_vectors;

use super::detached::DetachedVfs;
use super::vnics::{Bypassed, Vnics};
use crate::context::Context;
use crate::problems::libvirt_failed;
use crate::world::World;

/// What a VM starts with, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct Defined {
    /// The VM as it is defined.
    pub vm: Domain,
    /// The text of the definition, where it had to be read.
    pub xml: Option<String>,
}

/// Whether a VM has no definition beside what runs: it was created, or migrated, as transient.
pub(crate) fn is_transient(domain: &Domain) -> bool {
    !domain.persistent && domain.state.holds_devices()
}

/// Reads what a VM starts with; none of a transient one.
pub(crate) fn definition(ctx: &Context, domain: &Domain) -> Result<Option<Defined>, Problem> {
    if is_transient(domain) {
        return Ok(None);
    }
    if !domain.state.holds_devices() {
        let vm = domain.clone();
        return Ok(Some(Defined { vm, xml: None }));
    }
    let xml = definition_xml(ctx, domain)?;
    let parsed = Definition::parse(&xml);
    let parsed = parsed.map_err(|error| not_shown(domain, &error.to_string()))?;
    let vm = Domain {
        vnics: parsed.vnics,
        host_devices: parsed.host_devices,
        settings: parsed.settings,
        memory_mib: parsed.memory_mib.unwrap_or(domain.memory_mib),
        ..domain.clone()
    };
    Ok(Some(Defined { vm, xml: Some(xml) }))
}

/// The same of a VM that must have a definition.
pub(crate) fn lasting_definition(ctx: &Context, domain: &Domain) -> Result<Defined, Problem> {
    let transient = "The VM is transient: it ends with its definition.";
    definition(ctx, domain)?.ok_or_else(|| not_shown(domain, transient))
}

/// The text of a VM's definition.
pub(crate) fn definition_xml(ctx: &Context, domain: &Domain) -> Result<String, Problem> {
    let xml = ctx.edge.vms().xml(&domain.uuid, Side::Config);
    xml.map_err(|error| not_shown(domain, &error.to_string()))
}

fn not_shown(domain: &Domain, words: &str) -> Problem {
    libvirt_failed(&format!("show the definition of VM {}", domain.name), words)
}

/// Plans VMs.
#[derive(Clone, Copy)]
pub(crate) struct Planner<'a> {
    pub world: &'a World,
    pub vnics: &'a Vnics,
    pub detached: &'a DetachedVfs,
}

impl Planner<'_> {
    /// The steps that give a VM its VF. `definition` is none of a transient VM; `now` permits to re-plug a running
    /// vNIC; `again` replaces the VF.
    pub fn to_vf(
        self,
        setting: &VmSetting,
        domain: &Domain,
        definition: Option<&Domain>,
        now: bool,
        again: bool,
    ) -> Result<Plan, Problem> {
        let live = self.world.pair(&domain.vnics, setting.mac);
        let mut plan = match definition {
            None if live.nic.is_none() => return Err(self.off_the_switch(setting, domain)),
            None => pair::join_transient(live),
            Some(definition) => {
                let config = self.world.pair(&definition.vnics, setting.mac);
                if config.nic.is_none() {
                    return Err(self.off_the_switch(setting, domain));
                }
                let vnics = &definition.vnics;
                let vlan = self.vnics.vlan_of_config(vnics, domain, setting.mac, true);
                let live = domain.state.holds_devices().then_some(live);
                let plan = pair::join(config.in_vlan(vlan), live, now, again);
                plan.with_port(&definition.settings.slots)
            }
        };
        // A VF that was detached is attached again only when an administrator requests it.
        if setting.phase == Phase::Enabled && self.detached.of(&setting.uuid).is_some() {
            plan.steps.retain(|step| *step != Step::AttachVf);
        }
        Ok(plan)
    }

    /// The steps that bring an accelerated VM to its setting, or keep it from a VF that would bypass settings of its
    /// vNIC; and these settings.
    pub fn to_repair(
        self,
        setting: &VmSetting,
        domain: &Domain,
        definition: Option<&Domain>,
    ) -> Result<(Plan, Bypassed), Problem> {
        let mac = setting.mac;
        let bypassed = self
            .vnics
            .bypassed(definition.unwrap_or(domain), domain, mac);
        if bypassed.config.is_none() && bypassed.live.is_none() {
            let plan = self.to_vf(setting, domain, definition, false, false)?;
            return Ok((plan, bypassed));
        }
        let config = definition.filter(|_| bypassed.config.is_some());
        let config = config.map(|definition| self.world.pair(&definition.vnics, mac));
        let live = bypassed.live.as_ref();
        let live = live.map(|_| self.world.pair(&domain.vnics, mac));
        let plan = pair::hold(config.unwrap_or_default(), live.unwrap_or_default());
        Ok((plan, bypassed))
    }

    /// The steps that return a VM to its software path.
    pub fn to_software_path(
        self,
        setting: &VmSetting,
        domain: &Domain,
        definition: Option<&Domain>,
    ) -> Plan {
        let running = domain.state.holds_devices();
        let live = running.then(|| self.world.pair(&domain.vnics, setting.mac));
        let Some(definition) = definition else {
            return pair::part(Pair::default(), live, setting.nic_teamed);
        };
        let config = self.world.pair(&definition.vnics, setting.mac);
        let mut plan = pair::part(config, live, setting.nic_teamed);
        if setting.nic_added {
            // It is removed as a whole.
            plan.steps.retain(|step| *step != Step::PartNic);
        }
        plan.without_port(&definition.settings.slots)
    }

    /// Whether a setting has other queue pairs than the one before it, on adapters where those can be set only while
    /// no guest has the VF.
    pub fn needs_new_vf(&self, setting: &VmSetting) -> bool {
        let pairs = |of| self.world.policy.management.performance.of(of).queue_pairs;
        let differ = |before| pairs(before) != pairs(setting.performance);
        let mut adapters = self.world.snapshot.adapters().iter();
        setting.before.is_some_and(differ) && adapters.any(shares_vectors)
    }

    fn off_the_switch(&self, setting: &VmSetting, domain: &Domain) -> Problem {
        let found = format!("Its vNIC {} is no longer in its definition.", setting.mac);
        let intent = self.world.policy.management.intent.as_deref();
        let names = [&*domain.name, intent.unwrap_or_default()];
        Problem::new(Code::VmNotOnSwitch, &names, found)
    }
}

/// The steps of a VM as they are shown before they run; none where only files of the hook are written.
pub(crate) fn planned(node: &str, domain: &Domain, plan: &Plan) -> Vec<PlannedStep> {
    let is_quiet = |step: &Step| matches!(step, Step::WriteConfig | Step::Forget);
    if plan.steps.iter().all(is_quiet) {
        return Vec::new();
    }
    let replug = "its vNIC is re-plugged, with a short loss of network";
    let steps = plan.steps.iter().map(|step| PlannedStep {
        affected_vms: match step.touches_running() {
            true => vec![domain.name.clone()],
            false => Vec::new(),
        },
        restarts: matches!(step, Step::ReplugNic).then(|| replug.to_owned()),
        ..PlannedStep::new(node, &domain.name, step.to_string(), &plan.why)
    });
    steps.collect()
}
