//! The pair of one VM, made and taken apart: its definition first, then what runs. When a
//! step fails, the steps before it are taken back.

mod replug;

pub(crate) use replug::AskedOut;

use std::cell::RefCell;

use accelnet_host::Vms;
use accelnet_host::vms::{SavedState, Side};
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::{self, Definition, Part};
use accelnet_model::hook_config::HookConfig;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Code, Domain, Performance, Problem, VmSetting};
use accelnet_pci::Root;
use accelnet_rules::pair::{self, Pair, Step};

use super::super::apply::libvirt_failed;
use super::super::room::Space;
use super::super::settle::vms_unknown;
use super::super::vnics::Past;
use super::super::{Core, GIVE_UP, Seen};
use super::fits::Wanted;
use crate::policy::Policy;

/// What a step needs to know of its VM.
struct Bench<'a> {
    vms: &'a dyn Vms,
    root: &'a Root,
    setting: &'a VmSetting,
    pool: String,
    /// Where its vNIC is looked up: what runs, for a VM that has no definition.
    side: Side,
    /// The definition before the first step.
    config: String,
    /// The running vNIC before the first step, as it can be plugged in again.
    live_nic: Option<String>,
    /// The alias of the running vNIC, which a VF names as its partner.
    live_alias: RefCell<Option<String>>,
    /// Told what is about to be done within a step.
    passing: &'a dyn Fn(&str),
    /// The definition as it is now, where it is known.
    now: RefCell<Option<String>>,
    /// The VLAN of the VF in its definition, 0 for none; none where that cannot be told.
    vlan: Option<u16>,
    /// The same of what runs.
    live_vlan: Option<u16>,
}

/// What a VM starts with, whether it runs or not.
#[derive(Debug, Clone)]
pub(crate) struct Defined {
    /// The VM as it is defined.
    pub(crate) vm: Domain,
    /// The definition's text, where that had to be read.
    xml: Option<String>,
}

impl Core {
    /// What the VM starts with, read now.
    pub(crate) fn defined(&self, domain: &Domain) -> Result<Defined, Problem> {
        if !domain.state.holds_devices() {
            return Ok(Defined {
                vm: domain.clone(),
                xml: None,
            });
        }
        let xml = self.config_xml(domain)?;
        let parsed = Definition::parse(&xml).map_err(|error| {
            libvirt_failed(
                &format!("show the definition of VM {}", domain.name),
                &error.to_string(),
            )
        })?;
        let vm = Domain {
            vnics: parsed.vnics,
            host_devices: parsed.host_devices,
            settings: parsed.settings,
            memory_mib: parsed.memory_mib.unwrap_or(domain.memory_mib),
            ..domain.clone()
        };
        Ok(Defined { vm, xml: Some(xml) })
    }

    fn config_xml(&self, domain: &Domain) -> Result<String, Problem> {
        let failed = |words: &str| {
            libvirt_failed(&format!("show the definition of VM {}", domain.name), words)
        };
        if ends_with_its_stop(domain) {
            return Err(failed("The VM is transient: it ends with its definition."));
        }
        let xml = self.edge.vms().xml(&domain.uuid, Side::Config);
        xml.map_err(|error| failed(&error.to_string()))
    }

    /// What leads to the VM with its VF.
    pub(crate) fn plan_for(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        now: bool,
        again: bool,
    ) -> Result<pair::Plan, Problem> {
        if ends_with_its_stop(domain) {
            let live = Pair::of(&domain.vnics, setting.mac, &pool_of(policy));
            return match live.nic {
                None => Err(off_the_switch(policy, setting, domain)),
                Some(_) => Ok(self.without_vf_taken_back(setting, pair::join_transient(live))),
            };
        }
        let definition = self.defined(domain)?.vm;
        self.plan_with(policy, setting, &definition, domain, now, again)
    }

    /// The same of a VM with that definition.
    pub(crate) fn plan_with(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        definition: &Domain,
        domain: &Domain,
        now: bool,
        again: bool,
    ) -> Result<pair::Plan, Problem> {
        let pool = pool_of(policy);
        let config = Pair::of(&definition.vnics, setting.mac, &pool);
        if config.nic.is_none() {
            return Err(off_the_switch(policy, setting, domain));
        }
        let vlan = self.vlan_of_config(&definition.vnics, domain, setting.mac, true);
        let config = config.in_vlan(vlan);
        let running = domain.state.holds_devices();
        let live = running.then(|| Pair::of(&domain.vnics, setting.mac, &pool));
        let plan = pair::join(config, live, now, again);
        let plan = plan.with_port(&definition.settings.slots);
        Ok(self.without_vf_taken_back(setting, plan))
    }

    /// A VF that was taken back is not attached again, unless an administrator asks for it.
    fn without_vf_taken_back(&self, setting: &VmSetting, mut plan: pair::Plan) -> pair::Plan {
        if setting.phase == Phase::Enabled && self.is_taken_back(&setting.uuid) {
            plan.steps.retain(|step| *step != Step::AttachVf);
        }
        plan
    }

    /// What leads to an accelerated VM as its setting says, or keeps it from a VF that would go past the
    /// settings of its vNIC; and what stands in between.
    pub(crate) fn plan_to_mend(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(pair::Plan, Past), Problem> {
        let transient = ends_with_its_stop(domain);
        let definition = match transient {
            true => domain.clone(),
            false => self.defined(domain)?.vm,
        };
        let past = self.past(&definition, domain, setting.mac);
        if past.config.is_none() && past.live.is_none() {
            let plan = match transient {
                true => self.plan_for(policy, setting, domain, false, false)?,
                false => self.plan_with(policy, setting, &definition, domain, false, false)?,
            };
            return Ok((plan, past));
        }
        let pool = pool_of(policy);
        let pair = |vnics, is_past: bool| match is_past {
            true => Pair::of(vnics, setting.mac, &pool),
            false => Pair::default(),
        };
        let config = pair(&definition.vnics, past.config.is_some() && !transient);
        let live = pair(&domain.vnics, past.live.is_some());
        Ok((pair::hold(config, live), past))
    }

    /// Does the steps that keep a VM from a VF.
    pub(crate) fn keep_from_vf(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        plan: &pair::Plan,
    ) -> Result<(), Problem> {
        self.carry_out_steps(policy, setting, domain, plan, None, None)
    }

    /// What leads back to its software path.
    pub(crate) fn plan_back(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<pair::Plan, Problem> {
        let pool = pool_of(policy);
        let running = domain.state.holds_devices();
        let live = running.then(|| Pair::of(&domain.vnics, setting.mac, &pool));
        if ends_with_its_stop(domain) {
            return Ok(pair::part(Pair::default(), live, setting.nic_teamed));
        }
        let definition = self.defined(domain)?.vm;
        let config = Pair::of(&definition.vnics, setting.mac, &pool);
        let mut plan = pair::part(config, live, setting.nic_teamed);
        if setting.nic_added {
            // It is removed as a whole.
            plan.steps.retain(|step| *step != Step::PartNic);
        }
        Ok(plan.without_port(&definition.settings.slots))
    }

    /// Whether nothing is left of a setting at its VM; "no" where that cannot be told.
    pub(crate) fn has_nothing_of(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> bool {
        let added = setting.nic_added && {
            let mut vnics = domain.vnics.iter();
            vnics.any(|vnic| vnic.mac == Some(setting.mac))
        };
        let plan = self.plan_back(policy, setting, domain);
        !added && plan.is_ok_and(|plan| plan.steps.iter().all(|step| *step == Step::Forget))
    }

    /// Gives a VM its pair, or leaves it as it was; `defined` is its definition where that was read.
    pub(crate) fn enable_one(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
        defined: Option<Defined>,
        now: bool,
    ) -> Result<pair::Plan, Problem> {
        if setting.phase == Phase::Enabling {
            self.forgive_guest(&setting.uuid);
        }
        let begins = setting.phase == Phase::Enabling && setting.before.is_none();
        if !(begins && setting.nic_added) {
            return self.pair_one(policy, seen, setting, domain, defined, now);
        }
        let done = self.add_nic(policy, setting, domain).and_then(|()| {
            let seen = self.look();
            let domain = seen.domain(&setting.uuid);
            let domain = domain.ok_or_else(|| {
                let found = format!("libvirt on {} no longer has it.", self.name);
                Problem::new(Code::VmNotFound, &[&setting.name], found)
            })?;
            self.pair_one(policy, &seen, setting, domain, None, now)
        });
        if done.is_err() {
            // Both steps run or neither does; the next change reports a failure.
            drop(self.remove_added_nic(setting, domain));
        }
        done
    }

    /// Whether a setting has other queue pairs than the one before it, on adapters where those
    /// can only be set while no guest has the VF.
    pub(crate) fn needs_vf_anew(&self, policy: &Policy, seen: &Seen, setting: &VmSetting) -> bool {
        let pairs = |of| policy.management.performance.of(of).queue_pairs;
        let differ = |before| pairs(before) != pairs(setting.performance);
        setting.before.is_some_and(differ) && seen.adapters().iter().any(super::shares_vectors)
    }

    fn pair_one(
        &mut self,
        policy: &Policy,
        seen: &Seen,
        setting: &VmSetting,
        domain: &Domain,
        defined: Option<Defined>,
        now: bool,
    ) -> Result<pair::Plan, Problem> {
        let anew = self.needs_vf_anew(policy, seen, setting);
        let (mut plan, config, vm) = match ends_with_its_stop(domain) {
            true => (
                self.plan_for(policy, setting, domain, now, anew && now)?,
                None,
                domain.clone(),
            ),
            false => {
                let Defined { vm, xml } = match defined {
                    Some(defined) => defined,
                    None => self.defined(domain)?,
                };
                let plan = self.plan_with(policy, setting, &vm, domain, now, anew && now)?;
                (plan, xml, vm)
            }
        };
        plan.waits_for_restart |= anew && !now && !domain.host_devices.is_empty();
        // Memory may have gone since the plan was made, and a pass makes plans of its own.
        let wanted = Wanted {
            definition: &vm,
            domain,
            mac: setting.mac,
            steps: &plan.steps,
        };
        self.fits(seen, &wanted, &SavedState::default(), 0)?;
        let wish = self.wish(policy, setting, &self.managed_adapters(policy, seen));
        self.carry_out_steps(policy, setting, domain, &plan, Some(&wish), config)?;
        Ok(plan)
    }

    /// Takes a VM's pair apart, or leaves it as it was.
    pub(crate) fn disable_one(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
    ) -> Result<(), Problem> {
        let plan = self.plan_back(policy, setting, domain)?;
        self.carry_out_steps(policy, setting, domain, &plan, None, None)?;
        if setting.nic_added {
            self.remove_added_nic(setting, domain)?;
        }
        Ok(())
    }

    /// Does one step alone.
    pub(crate) fn only(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        step: Step,
    ) -> Result<(), Problem> {
        let plan = pair::Plan {
            steps: vec![step],
            waits_for_restart: false,
            why: String::new(),
        };
        self.carry_out_steps(policy, setting, domain, &plan, None, None)
    }

    /// Does the steps of a plan; `config` is the VM's definition where it was read for the plan.
    fn carry_out_steps(
        &mut self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        plan: &pair::Plan,
        wish: Option<&HookConfig>,
        config: Option<String>,
    ) -> Result<(), Problem> {
        let crosses =
            domain.state.holds_devices() && plan.steps.iter().any(|step| step.touches_running());
        if crosses {
            self.change_of_vf_begins(policy, setting.mac);
        }
        if domain.state.holds_devices() && plan.steps.contains(&Step::AttachVf) {
            self.attaches(&setting.uuid);
        }
        let done = self.do_steps(policy, setting, domain, plan, wish, config);
        if crosses {
            self.change_of_vf_ends(setting.mac);
        }
        self.asked_out.remove(&setting.uuid);
        if done.is_err() && plan.steps.contains(&Step::ReplugNic) {
            self.remember_asked_out(setting);
        }
        done
    }

    fn do_steps(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        domain: &Domain,
        plan: &pair::Plan,
        wish: Option<&HookConfig>,
        config: Option<String>,
    ) -> Result<(), Problem> {
        let needs_definition = plan
            .steps
            .iter()
            .any(|step| !matches!(step, Step::WriteConfig | Step::Forget));
        let transient = ends_with_its_stop(domain);
        let config = match (needs_definition && !transient, config) {
            (true, Some(config)) => config,
            (true, None) => self.config_xml(domain)?,
            (false, _) => String::new(),
        };
        let live_nic = match domain.state.holds_devices() && plan.steps.contains(&Step::ReplugNic) {
            true => self.edge.vms().migratable_xml(&domain.uuid).ok(),
            false => None,
        };
        let live_nic = live_nic
            .and_then(|live| xml::interface_fragment(&live, setting.mac, Part::Persistent))
            .map(|nic| xml::without_generated(&nic));
        let pool = pool_of(policy);
        let live_alias = Pair::of(&domain.vnics, setting.mac, &pool)
            .nic
            .filter(|_| domain.state.holds_devices())
            .and_then(|nic| nic.alias.clone());
        let mut done: Vec<Step> = Vec::new();
        let defined = Definition::parse(&config).unwrap_or_default();
        let bench = Bench {
            vlan: self.vlan_of_config(&defined.vnics, domain, setting.mac, false),
            live_vlan: self.vlan_of_live(domain, setting.mac),
            vms: self.edge.vms(),
            root: self.edge.host().root,
            setting,
            pool,
            side: if transient { Side::Live } else { Side::Config },
            now: RefCell::new((needs_definition && !transient).then(|| config.clone())),
            config,
            live_nic,
            live_alias: RefCell::new(live_alias),
            passing: &|step| self.edge.passing(step),
        };
        for step in &plan.steps {
            self.edge.passing(name_of(*step));
            let result = match step {
                Step::WriteConfig => {
                    wish.map_or(Ok(()), |wish| self.write_wish(&setting.uuid, wish))
                }
                Step::Forget => self.drop_wish(&setting.uuid),
                step => bench.act(*step),
            };
            if let Err(error) = result {
                let what = format!("{step} (VM {})", domain.name);
                let mut problem = pool_exhausted(&error, domain)
                    .unwrap_or_else(|| libvirt_failed(&what, &error.to_string()));
                let undone = bench.undo(&done);
                if wish.is_some() && setting.phase == Phase::Enabling {
                    self.restore_wish(policy, setting);
                }
                if let Err(second) = undone {
                    problem = problem.needed(format!(
                        "libvirt to do it. Not everything could be restored: {second}"
                    ));
                }
                return Err(problem);
            }
            done.push(*step);
        }
        Ok(())
    }

    /// What was done was not seen: it is taken back.
    pub(crate) fn undo_unverified(&mut self, policy: &Policy, setting: &VmSetting, after: &Seen) {
        let domain = after.domain(&setting.uuid);
        if let (None, Some(domain)) = (setting.before, domain)
            && let Err(problem) = self.disable_one(policy, setting, domain)
        {
            self.tell_problem(
                accelnet_api::types::EventKind::Failed,
                &setting.name,
                &problem,
            );
        }
    }

    /// Whether a VM that was given its VF has it.
    pub(crate) fn verify(
        &self,
        policy: &Policy,
        setting: &VmSetting,
        plan: &pair::Plan,
        after: &Seen,
    ) -> Result<(), Problem> {
        let domain = after.domain(&setting.uuid);
        let missing = |found: String| {
            Err(Problem::new(
                Code::NotVerified,
                &[&format!("VM {}", setting.name)],
                found,
            ))
        };
        if let Some(reason) = after.node.domains.reason() {
            return Err(vms_unknown(&self.name, reason));
        }
        let Some(domain) = domain else {
            return missing("libvirt no longer has the VM.".to_owned());
        };
        let pool = pool_of(policy);
        if !ends_with_its_stop(domain) {
            let definition = self.defined(domain)?.vm;
            let config = Pair::of(&definition.vnics, setting.mac, &pool);
            if config.vf.is_none() || !config.can_fail_over() {
                return missing("Its definition has no pair.".to_owned());
            }
        }
        if !plan.steps.contains(&Step::AttachVf) || !domain.state.holds_devices() {
            return Ok(());
        }
        let live = Pair::of(&domain.vnics, setting.mac, &pool);
        let Some((adapter, vf)) = live.vf.and_then(|vf| crate::view::find_vf(after, vf)) else {
            return missing("The running VM has no VF.".to_owned());
        };
        match vf.settings.known() {
            Some(settings) if settings.mac != setting.mac => missing(format!(
                "VF {} of {} has MAC {}, not {}.",
                vf.index,
                adapter.name(),
                settings.mac,
                setting.mac
            )),
            _ => Ok(()),
        }
    }

    /// A share of the rate needs an adapter that can limit one.
    pub(crate) fn rate_is_possible(
        &self,
        policy: &Policy,
        setting: Performance,
        spaces: &[Space<'_>],
    ) -> Result<(), Problem> {
        let weight = policy.management.performance.of(setting).rate_limit_percent;
        if weight >= 100 {
            return Ok(());
        }
        let refuses =
            spaces
                .iter()
                .find_map(|space| match space.adapter.features.max_tx_rate.known()? {
                    accelnet_model::adapter::Support::Yes => None,
                    accelnet_model::adapter::Support::No { reason } => {
                        Some((space.adapter.name(), reason.clone()))
                    }
                });
        match refuses {
            None => Ok(()),
            Some((adapter, reason)) => Err(Problem::new(
                Code::CannotProvisionPerformance,
                &[&setting.to_string()],
                format!("Adapter {adapter} cannot limit the transmit rate of a VF."),
            )
            .needed(format!("A transmit rate of {weight} % of the adapter's."))
            .cause(reason)),
        }
    }
}

/// Steps that change the definition.
const DEFINING: [Step; 6] = [
    Step::JoinNic,
    Step::DefinePort,
    Step::DefineVf,
    Step::UndefineVf,
    Step::UndefinePort,
    Step::PartNic,
];

impl Bench<'_> {
    /// Does one step.
    fn act(&self, step: Step) -> Result<(), LibvirtError> {
        let done = self.carry_out(step);
        if DEFINING.contains(&step) || matches!(self.side, Side::Live) {
            // Also when it failed: what is there then is to be seen.
            self.now.replace(None);
        }
        done
    }

    fn carry_out(&self, step: Step) -> Result<(), LibvirtError> {
        let (vms, uuid) = (self.vms, &self.setting.uuid);
        match step {
            Step::WriteConfig | Step::Forget => Ok(()),
            Step::JoinNic => {
                let nic = self.nic()?;
                let joined = xml::with_teaming(&nic, &xml::persistent_alias(self.setting.mac));
                vms.update(uuid, &joined, Side::Config)
            }
            Step::DefinePort => match xml::port_to_add(&self.definition()?) {
                Some(port) => vms.attach(uuid, &port, Side::Config),
                None => Ok(()),
            },
            Step::DefineVf => vms.attach(uuid, &self.vf(Side::Config)?, Side::Config),
            Step::ReplugNic => self.replug(),
            Step::DropStandIn => {
                let live = vms.xml(uuid, Side::Live)?;
                match xml::interface_called(&live, &xml::vf_alias(self.setting.mac)) {
                    Some(nic) => vms.detach(uuid, &nic, Side::Live, GIVE_UP),
                    None => Ok(()),
                }
            }
            Step::AttachVf => vms.attach(uuid, &self.vf(Side::Live)?, Side::Live),
            Step::DetachVf => match self.fragment(Side::Live, Part::Transient)? {
                Some(vf) => vms.detach(uuid, &vf, Side::Live, GIVE_UP),
                None => Ok(()),
            },
            Step::UndefineVf => match self.fragment(Side::Config, Part::Transient)? {
                Some(vf) => vms.detach(uuid, &vf, Side::Config, GIVE_UP),
                None => Ok(()),
            },
            Step::UndefinePort => undefine_ports(vms, uuid, &self.definition()?),
            Step::PartNic => {
                let nic = xml::without_teaming(&self.nic()?, self.setting.nic_teamed);
                vms.update(uuid, &nic, Side::Config)
            }
        }
    }

    /// Takes back what was done, the last first; everything is tried.
    fn undo(&self, done: &[Step]) -> Result<(), LibvirtError> {
        let mut result = Ok(());
        let mut note = |outcome: Result<(), LibvirtError>| {
            if let (Ok(()), Err(error)) = (&result, outcome) {
                result = Err(error);
            }
        };
        for step in done.iter().rev() {
            match step {
                Step::AttachVf => note(self.act(Step::DetachVf)),
                Step::DetachVf => note(self.act(Step::AttachVf)),
                Step::ReplugNic => note(self.plug_back()),
                _ => {}
            }
        }
        if done.iter().any(|step| DEFINING.contains(step)) {
            note(self.vms.define(&self.config));
        }
        result
    }

    /// The definition as it is now, that of a transient VM as it runs; read anew after a change of it.
    fn definition(&self) -> Result<String, LibvirtError> {
        if let Some(known) = self.now.borrow().clone() {
            return Ok(known);
        }
        let xml = self.vms.xml(&self.setting.uuid, self.side)?;
        self.now.replace(Some(xml.clone()));
        Ok(xml)
    }

    /// The vNIC of the definition as it is now.
    fn nic(&self) -> Result<String, LibvirtError> {
        self.fragment(self.side, Part::Persistent)?
            .ok_or_else(|| LibvirtError::Failed {
                doing: "show the vNIC",
                words: format!("no vNIC {} is in the definition", self.setting.mac),
            })
    }

    /// The VF, as it is asked of libvirt.
    fn vf(&self, side: Side) -> Result<String, LibvirtError> {
        let mac = self.setting.mac;
        let definition = self.definition()?;
        let vlan = match side {
            Side::Config => self.vlan,
            Side::Live => self.live_vlan.or(self.vlan),
        };
        let vlan = match vlan {
            Some(vlan) => Some(vlan).filter(|vlan| *vlan != 0),
            // Where the bridge cannot be read now, what the vNIC itself says.
            None => xml::interface_vlan(&self.nic()?),
        };
        let partner = match side {
            Side::Config => xml::user_alias(&self.nic()?),
            Side::Live => self.live_alias.borrow().clone(),
        };
        let partner = partner.unwrap_or_else(|| xml::persistent_alias(mac));
        let vf = xml::vf_interface(&self.pool, mac, &partner, &xml::vf_alias(mac), vlan);
        let place = match side {
            Side::Config => xml::place_on_own_port(&definition),
            Side::Live => None,
        };
        Ok(match place {
            Some(place) => xml::with_place(&vf, &place),
            None => vf,
        })
    }

    fn fragment(&self, side: Side, part: Part) -> Result<Option<String>, LibvirtError> {
        let xml = match side {
            Side::Config => self.definition()?,
            Side::Live => self.vms.xml(&self.setting.uuid, side)?,
        };
        Ok(xml::interface_fragment(&xml, self.setting.mac, part))
    }
}

/// Takes those ports out of a definition that accelnet added and that nothing needs.
pub(crate) fn undefine_ports(
    vms: &dyn Vms,
    uuid: &str,
    definition: &str,
) -> Result<(), LibvirtError> {
    for port in xml::ports_to_remove(definition) {
        vms.detach(uuid, &port, Side::Config, GIVE_UP)?;
    }
    Ok(())
}

/// Whether a VM has no definition beside what runs: it was created, or migrated, as transient.
fn ends_with_its_stop(domain: &Domain) -> bool {
    !domain.persistent && domain.state.holds_devices()
}

fn off_the_switch(policy: &Policy, setting: &VmSetting, domain: &Domain) -> Problem {
    let found = format!("Its vNIC {} is no longer in its definition.", setting.mac);
    let intent = policy.management.intent.clone().unwrap_or_default();
    Problem::new(Code::VmNotOnSwitch, &[&domain.name, &intent], found)
}

/// libvirt would hand out no VF, so it is not asked for one.
pub(crate) fn none_is_free(vm: &str) -> Problem {
    let found = "No VF of the pool is free on this node; VFs bind.";
    Problem::new(Code::ClusterNotEnoughResources, &[vm], found)
}

/// The network that the VFs of the managed intent come from.
fn pool_of(policy: &Policy) -> String {
    policy
        .managed_intent()
        .map(|intent| intent.pool_network())
        .unwrap_or_default()
}

/// libvirt's way of saying that the pool has no VF left.
fn pool_exhausted(error: &LibvirtError, domain: &Domain) -> Option<Problem> {
    let words = error.to_string();
    words
        .contains("requires exclusive access to interfaces")
        .then(|| none_is_free(&domain.name).cause(words.clone()))
}

/// The name of a step by which an agent can be killed.
fn name_of(step: Step) -> &'static str {
    match step {
        Step::WriteConfig => "wish",
        Step::JoinNic => "join-nic",
        Step::DefinePort => "define-port",
        Step::DefineVf => "define-vf",
        Step::ReplugNic => "replug-nic",
        Step::DropStandIn => "drop-stand-in",
        Step::AttachVf => "attach-vf",
        Step::DetachVf => "detach-vf",
        Step::UndefineVf => "undefine-vf",
        Step::UndefinePort => "undefine-port",
        Step::PartNic => "part-nic",
        Step::Forget => "forget",
    }
}
