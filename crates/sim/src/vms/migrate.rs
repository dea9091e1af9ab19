//! `virsh migrate --live` between two nodes that never existed, in the steps that a test looks
//! between.

use accelnet_host::hook;
use accelnet_libvirt::xml::DomainXml;
use accelnet_libvirt::{DomainChange, LibvirtError, MigrationChange, VmEvent};

use super::fragment::{is_vf, vnic};
use super::state::{PlugKind, SimDomain, failed};
use super::{SimVms, text};
use crate::mutex::held;

const DOING: &str = "migrate the VM";

/// A migration under way: the guest has given up its VF at the source, and has none yet at the target.
#[must_use = "it is under way until it is finished or fails"]
pub struct Migration {
    from: SimVms,
    to: SimVms,
    uuid: String,
}

impl SimVms {
    /// Begins to move the running domain `name` to another node.
    ///
    /// # Errors
    ///
    /// The target has no VF left, no such network.
    pub fn virsh_migrate(&self, name: &str, to: &SimVms) -> Result<Migration, LibvirtError> {
        let uuid = self.uuid(name).ok_or_else(|| LibvirtError::NoDomain {
            words: format!("Domain not found: no domain with matching name '{name}'"),
        })?;
        let moving = {
            let mut state = held(&self.state);
            let domain = state.domain(&uuid)?.clone();
            let Some(live) = &domain.live else {
                let words = "Requested operation is not valid: domain is not running";
                return Err(failed(DOING, words));
            };
            SimDomain {
                config: Some(migratable(live, &domain)),
                live: None,
                paused: false,
                leaving: false,
                plugs: Vec::new(),
                process: None,
                resident_mib: 0,
                ..domain
            }
        };
        to.take_in(moving)?;
        let mut state = held(&self.state);
        state.domain(&uuid)?.leaving = true;
        self.update_guest_vf(&mut state, &uuid);
        for change in [MigrationChange::WaitsForGuest, MigrationChange::Active] {
            let uuid = uuid.clone();
            state.notify(VmEvent::Migration { uuid, change });
        }
        drop(state);
        Ok(Migration {
            from: self.clone(),
            to: to.clone(),
            uuid,
        })
    }

    /// Makes everything ready for a domain that comes.
    fn take_in(&self, mut coming: SimDomain) -> Result<(), LibvirtError> {
        let mut state = held(&self.state);
        let uuid = coming.uuid.clone();
        let before = state.domains.remove(&uuid).and_then(|one| one.config);
        if let Some(config) = &mut coming.config
            && let Ok(domain) = DomainXml::parse(config)
            && let Some(changed) = hook::let_in(&self.kernel.root, &domain)
        {
            *config = changed;
        }
        coming.leaving = true;
        state.domains.insert(uuid.clone(), coming);
        let up = self.bring_up(&mut state, &uuid);
        let domain = state.domain(&uuid)?;
        domain.config = before;
        domain.paused = true;
        domain.leaving = true;
        match up {
            Ok(()) => Ok(()),
            Err(words) => {
                self.take_down(&mut state, &uuid);
                Err(failed(DOING, words))
            }
        }
    }
}

impl Migration {
    /// The guest goes on at the target; with its definition there if that is `persistent`. The
    /// definition at the source stays.
    pub fn finish(self, persistent: bool) {
        let config = {
            let mut state = held(&self.from.state);
            let config = state.domain(&self.uuid).map(|domain| domain.config.clone());
            if let Ok(domain) = state.domain(&self.uuid) {
                domain.leaving = false;
            }
            self.from.take_down(&mut state, &self.uuid);
            config.ok().flatten()
        };
        let mut state = held(&self.to.state);
        if let Ok(domain) = state.domain(&self.uuid) {
            domain.paused = false;
            domain.leaving = false;
            if persistent {
                domain.config = config;
            }
        }
        self.to.update_guest_vf(&mut state, &self.uuid);
        state.notify_domain(&self.uuid, DomainChange::Resumed);
    }

    /// It is cancelled: the guest stays, and gets its VF back.
    pub fn cancel(self) {
        {
            let mut state = held(&self.to.state);
            self.to.take_down(&mut state, &self.uuid);
        }
        let mut state = held(&self.from.state);
        if let Ok(domain) = state.domain(&self.uuid) {
            domain.leaving = false;
        }
        self.from.update_guest_vf(&mut state, &self.uuid);
        state.notify(VmEvent::Migration {
            uuid: self.uuid.clone(),
            change: MigrationChange::Failed,
        });
    }
}

/// What libvirt sends to the other node: a VF by its pool, and no host-side names.
fn migratable(live: &str, domain: &SimDomain) -> String {
    let mut xml = live.to_owned();
    for range in text::interface_ranges(live).into_iter().rev() {
        let fragment = &live[range.clone()];
        let Some(vnic) = vnic(fragment) else { continue };
        let child = |name| text::child_text(fragment, name).unwrap_or_default();
        let moved = match is_vf(&vnic) {
            true => {
                let pool = domain.plugs.iter().find_map(|plug| match &plug.kind {
                    PlugKind::Vf { network, .. } if Some(plug.mac) == vnic.mac => Some(network),
                    _ => None,
                });
                format!(
                    "<interface type='network'>{}<source network='{}'/>{}{}{}{}</interface>",
                    child("mac"),
                    pool.map_or("", String::as_str),
                    child("vlan"),
                    child("model"),
                    child("teaming"),
                    child("alias"),
                )
            }
            false => fragment.replace(&child("target"), ""),
        };
        xml = text::replace(&xml, range, &moved);
    }
    xml
}
