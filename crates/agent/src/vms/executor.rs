//! Runs the steps of one VM's plan: its definition first, then what runs. When a step fails, the steps before it are
//! undone.

use std::cell::RefCell;

use accelnet_host::Vms;
use accelnet_host::vms::Side;
use accelnet_libvirt::LibvirtError;
use accelnet_libvirt::xml::{self, Definition, DomainXml, InterfaceXml, Part};
use accelnet_model::hook_config::HookConfig;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{Domain, Mac, Problem, VmSetting};
use accelnet_rules::pair::{Plan, Step};

use super::added_nic::{RELEASE_WITHIN, remove_ports};
use super::unplugged::plug_somewhere;
use super::vnics::Vnics;
use super::{hook_files, plan};
use crate::context::Context;
use crate::problems::{libvirt_failed, no_free_vf};
use crate::world::World;

/// Steps that change the definition.
const DEFINING: [Step; 6] = [
    Step::JoinNic,
    Step::DefinePort,
    Step::DefineVf,
    Step::UndefineVf,
    Step::UndefinePort,
    Step::PartNic,
];

/// What the steps of a VM are run with.
struct Executor<'a> {
    ctx: &'a Context,
    vms: &'a dyn Vms,
    setting: &'a VmSetting,
    pool: &'a str,
    /// Where its vNIC is read: from what runs, of a VM without a definition.
    side: Side,
    /// The definition before the first step.
    config: String,
    /// The running vNIC before the first step, as it can be plugged in again.
    live_nic: Option<String>,
    /// The alias of the running vNIC, which a VF names as its partner.
    live_alias: RefCell<Option<String>>,
    /// The definition as it is now, where it is known.
    now: RefCell<Option<String>>,
    /// The VLAN of the VF in its definition, 0 for none; none where that is unknown.
    vlan: Option<u16>,
    /// The same of what runs.
    live_vlan: Option<u16>,
}

/// Runs a plan; `config` is the VM's definition where it was read for the plan.
pub(crate) fn run(
    ctx: &Context,
    (world, vnics): (&World, &Vnics),
    (setting, domain): (&VmSetting, &Domain),
    plan: &Plan,
    (hook_config, config): (Option<&HookConfig>, Option<String>),
) -> Result<(), Problem> {
    let executor = Executor::new(ctx, (world, vnics), (setting, domain), plan, config)?;
    let mut done: Vec<Step> = Vec::new();
    for step in &plan.steps {
        ctx.failpoint(failpoint(*step));
        let result = match step {
            Step::WriteConfig => hook_config.map_or(Ok(()), |config| {
                hook_files::write(ctx, &setting.uuid, config)
            }),
            Step::Forget => {
                hook_files::remove(ctx, &setting.uuid);
                Ok(())
            }
            step => executor.act(*step),
        };
        let Err(error) = result else {
            done.push(*step);
            continue;
        };
        let mut problem = pool_exhausted(&error, domain).unwrap_or_else(|| {
            let what = format!("{step} (VM {})", domain.name);
            libvirt_failed(&what, &error.to_string())
        });
        let undone = executor.undo(&done);
        if hook_config.is_some() && setting.phase == Phase::Enabling {
            hook_files::restore(ctx, world, vnics, setting);
        }
        if let Err(second) = undone {
            problem = problem.needed(format!(
                "libvirt to do it. Not everything could be restored: {second}"
            ));
        }
        return Err(problem);
    }
    Ok(())
}

impl<'a> Executor<'a> {
    fn new(
        ctx: &'a Context,
        (world, vnics): (&'a World, &Vnics),
        (setting, domain): (&'a VmSetting, &Domain),
        plan: &Plan,
        config: Option<String>,
    ) -> Result<Self, Problem> {
        let (vms, mac) = (ctx.edge.vms(), setting.mac);
        let is_quiet = |step: &Step| matches!(step, Step::WriteConfig | Step::Forget);
        let transient = plan::is_transient(domain);
        let is_defined = !transient && !plan.steps.iter().all(is_quiet);
        let config = match (is_defined, config) {
            (true, Some(config)) => config,
            (true, None) => plan::definition_xml(ctx, domain)?,
            (false, _) => String::new(),
        };
        let running = domain.state.holds_devices();
        let live_nic = match running && plan.steps.contains(&Step::ReplugNic) {
            true => vms.migratable_xml(&domain.uuid).ok(),
            false => None,
        };
        let live_nic = live_nic
            .as_deref()
            .and_then(|live| DomainXml::parse(live).ok())
            .and_then(|live| live.interface(mac, Part::Persistent))
            .map(|nic| nic.without_generated());
        let live = world.pair(&domain.vnics, mac).nic.filter(|_| running);
        let defined = Definition::parse(&config).unwrap_or_default();
        Ok(Executor {
            ctx,
            vms,
            setting,
            pool: &world.pool,
            side: if transient { Side::Live } else { Side::Config },
            now: RefCell::new(is_defined.then(|| config.clone())),
            config,
            live_nic,
            live_alias: RefCell::new(live.and_then(|nic| nic.alias.clone())),
            vlan: vnics.vlan_of_config(&defined.vnics, domain, mac, false),
            live_vlan: vnics.vlan_of_live(domain, mac),
        })
    }

    /// Runs one step.
    fn act(&self, step: Step) -> Result<(), LibvirtError> {
        let done = self.carry_out(step);
        if DEFINING.contains(&step) || matches!(self.side, Side::Live) {
            // Also when it failed: the definition is read again.
            self.now.replace(None);
        }
        done
    }

    fn carry_out(&self, step: Step) -> Result<(), LibvirtError> {
        let (vms, uuid) = (self.vms, &self.setting.uuid);
        match step {
            Step::WriteConfig | Step::Forget => Ok(()),
            Step::JoinNic => {
                let alias = xml::persistent_alias(self.setting.mac);
                let joined = self.nic(|nic| nic.with_teaming(&alias))?;
                vms.update(uuid, &joined, Side::Config)
            }
            Step::DefinePort => match DomainXml::parse(&self.definition()?)?.port_to_add() {
                Some(port) => vms.attach(uuid, &port, Side::Config),
                None => Ok(()),
            },
            Step::DefineVf => vms.attach(uuid, &self.vf(Side::Config)?, Side::Config),
            Step::ReplugNic => self.replug(),
            Step::DropStandIn => {
                let live = vms.xml(uuid, Side::Live)?;
                let live = DomainXml::parse(&live)?;
                let nic = live.interface_called(&xml::vf_alias(self.setting.mac));
                self.detach(nic.as_ref().map(InterfaceXml::as_str), Side::Live)
            }
            Step::AttachVf => vms.attach(uuid, &self.vf(Side::Live)?, Side::Live),
            Step::DetachVf => self.detach_vf(Side::Live),
            Step::UndefineVf => self.detach_vf(Side::Config),
            Step::UndefinePort => remove_ports(vms, uuid, &self.definition()?),
            Step::PartNic => {
                let nic = self.nic(|nic| nic.without_teaming(self.setting.nic_teamed))?;
                vms.update(uuid, &nic, Side::Config)
            }
        }
    }

    fn detach(&self, device: Option<&str>, side: Side) -> Result<(), LibvirtError> {
        let uuid = &self.setting.uuid;
        device.map_or(Ok(()), |device| {
            self.vms.detach(uuid, device, side, RELEASE_WITHIN)
        })
    }

    fn detach_vf(&self, side: Side) -> Result<(), LibvirtError> {
        let xml = match side {
            Side::Config => self.definition()?,
            Side::Live => self.vms.xml(&self.setting.uuid, side)?,
        };
        let vf = DomainXml::parse(&xml)?.interface(self.setting.mac, Part::Transient);
        self.detach(vf.as_ref().map(InterfaceXml::as_str), side)
    }

    /// Undoes what was done, the last step first; everything is tried.
    fn undo(&self, done: &[Step]) -> Result<(), LibvirtError> {
        let mut outcomes: Vec<Result<(), LibvirtError>> = done
            .iter()
            .rev()
            .map(|step| match step {
                Step::AttachVf => self.act(Step::DetachVf),
                Step::DetachVf => self.act(Step::AttachVf),
                Step::ReplugNic => self.plug_back(),
                _ => Ok(()),
            })
            .collect();
        if done.iter().any(|step| DEFINING.contains(step)) {
            outcomes.push(self.vms.define(&self.config));
        }
        outcomes.into_iter().collect()
    }

    /// The definition as it is now, that of a transient VM as it runs; read again after a change of it.
    fn definition(&self) -> Result<String, LibvirtError> {
        if let Some(known) = self.now.borrow().clone() {
            return Ok(known);
        }
        let xml = self.vms.xml(&self.setting.uuid, self.side)?;
        self.now.replace(Some(xml.clone()));
        Ok(xml)
    }

    /// Reads the vNIC of the definition as it is now.
    fn nic<T>(&self, read: impl FnOnce(&InterfaceXml<'_>) -> T) -> Result<T, LibvirtError> {
        let definition = self.definition()?;
        let nic = nic_of(&DomainXml::parse(&definition)?, self.setting.mac)?;
        Ok(read(&nic))
    }

    /// The VF, as libvirt is asked for it.
    fn vf(&self, side: Side) -> Result<String, LibvirtError> {
        let mac = self.setting.mac;
        let definition = self.definition()?;
        let domain = DomainXml::parse(&definition)?;
        let vlan = match side {
            Side::Config => self.vlan,
            Side::Live => self.live_vlan.or(self.vlan),
        };
        let vlan = match vlan {
            Some(vlan) => Some(vlan).filter(|vlan| *vlan != 0),
            // Where the bridge cannot be read now, the vNIC names it.
            None => nic_of(&domain, mac)?.vlan(),
        };
        let partner = match side {
            Side::Config => nic_of(&domain, mac)?.user_alias(),
            Side::Live => self.live_alias.borrow().clone(),
        };
        let partner = partner.unwrap_or_else(|| xml::persistent_alias(mac));
        let place = match side {
            Side::Config => domain.place_on_own_port(),
            Side::Live => None,
        };
        let (alias, place) = (xml::vf_alias(mac), place.unwrap_or_default());
        Ok(xml::vf_interface(
            self.pool, mac, &partner, &alias, vlan, &place,
        ))
    }

    /// Detaches the running vNIC and attaches it again with the failover feature; everything else stays. A vNIC that
    /// is detached already, because an agent died in between, is attached as it is defined.
    fn replug(&self) -> Result<(), LibvirtError> {
        let live = self.live_nic.as_deref();
        let live = live.and_then(|live| InterfaceXml::parse(live).ok());
        let alias = xml::persistent_alias(self.setting.mac);
        // Settings that only the running vNIC has stay. If the definition names another network, the
        // definition counts: it was evaluated.
        let (switch, joined) = self.nic(|defined| {
            let base = match &live {
                Some(live) if live.connected_to() == defined.connected_to() => live,
                _ => defined,
            };
            (base.connected_to(), base.with_teaming(&alias))
        })?;
        let joined_alias = InterfaceXml::parse(&joined)?.user_alias();
        self.switch_exists(switch)?;
        self.detach(self.live_nic.as_deref(), Side::Live)?;
        self.ctx.failpoint("plug-nic");
        match self.vms.attach(&self.setting.uuid, &joined, Side::Live) {
            Ok(()) => {
                self.live_alias.replace(joined_alias);
                Ok(())
            }
            Err(error) => {
                // The VM keeps the vNIC that it had.
                if let Some(live) = &self.live_nic {
                    plug_somewhere(self.vms, &self.setting.uuid, live)?;
                }
                Err(error)
            }
        }
    }

    /// Reverts [`Executor::replug`].
    fn plug_back(&self) -> Result<(), LibvirtError> {
        let Some(live) = &self.live_nic else {
            return Ok(());
        };
        let xml = self.vms.xml(&self.setting.uuid, Side::Live)?;
        let joined = self.live_alias.borrow();
        let xml = DomainXml::parse(&xml)?;
        let nic = joined
            .as_deref()
            .and_then(|alias| xml.interface_called(alias));
        self.detach(nic.as_ref().map(InterfaceXml::as_str), Side::Live)?;
        plug_somewhere(self.vms, &self.setting.uuid, live)
    }

    /// Makes sure that the vNIC can be plugged in again. libvirt plugs nothing into a network that does not run, which
    /// is started, or a bridge that does not exist, and the VM would lose its vNIC.
    fn switch_exists(
        &self,
        switch: Option<(String, String, Option<String>)>,
    ) -> Result<(), LibvirtError> {
        let Some((kind, source, _)) = switch else {
            return Ok(());
        };
        let bridge = match kind.as_str() {
            "bridge" => Some(source),
            "network" => {
                self.vms.start_network(&source)?;
                let networks = self.vms.networks()?;
                let network = networks.iter().find(|one| one.name == source);
                network.and_then(|one| xml::network(&one.xml)?.bridge)
            }
            _ => None,
        };
        let root = self.ctx.edge.host().root;
        match bridge {
            Some(bridge) if !root.exists(&format!("/sys/class/net/{bridge}")) => {
                Err(LibvirtError::Failed {
                    doing: "re-plug the vNIC",
                    words: format!(
                        "bridge {bridge} does not exist, and the VM would lose its vNIC: try again when 'accelnet intent status' shows the intent as completed"
                    ),
                })
            }
            _ => Ok(()),
        }
    }
}

/// The vNIC with that MAC.
fn nic_of<'a>(domain: &DomainXml<'a>, mac: Mac) -> Result<InterfaceXml<'a>, LibvirtError> {
    let nic = domain.interface(mac, Part::Persistent);
    nic.ok_or_else(|| LibvirtError::Failed {
        doing: "show the vNIC",
        words: format!("no vNIC {mac} is in the definition"),
    })
}

/// libvirt's error that the pool has no free VF.
fn pool_exhausted(error: &LibvirtError, domain: &Domain) -> Option<Problem> {
    let words = error.to_string();
    let exhausted = words.contains("requires exclusive access to interfaces");
    exhausted.then(|| no_free_vf(&domain.name).cause(words))
}

/// Name of the failpoint before a step.
fn failpoint(step: Step) -> &'static str {
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
