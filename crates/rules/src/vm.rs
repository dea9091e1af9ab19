//! One VM against a performance setting: vNICs, vCPUs, figures, room.

use std::collections::BTreeMap;

use accelnet_model::domain::Vnic;
use accelnet_model::performance::{Figures, Performance};
use accelnet_model::{Code, Domain, Mac, Problem};

/// The VM must have a vNIC.
pub fn has_vnics(vm: &Domain) -> Result<(), Problem> {
    match vm.vnics.as_slice() {
        [] => Err(Problem::new(
            Code::GetNetworkAdapterFailed,
            &[&vm.name],
            format!("VM {} has no vNIC.", vm.name),
        )),
        _ => Ok(()),
    }
}

/// The vCPUs of a new definition must reach the setting's minimum; the sentence names the
/// minimum and SMT.
pub fn minimum_vcpus(asked: u32, setting: Performance, smt: bool) -> Result<(), Problem> {
    let minimum = setting.minimum_vcpus(smt);
    if asked >= minimum {
        return Ok(());
    }
    let state = if smt { "enabled" } else { "disabled" };
    Err(Problem::new(
        Code::MinProcessorCounter,
        &[&minimum.to_string(), state],
        format!("{} for {setting}.", count(asked, "vCPU")),
    ))
}

/// The VM as it is must have the setting's minimum of vCPUs; the sentence names the VM.
pub fn enough_vcpus(vm: &Domain, setting: Performance, smt: bool) -> Result<(), Problem> {
    enough_vcpus_of(&vm.name, vm.vcpus, setting, smt)
}

/// The same of a VM of which only the name and the vCPUs are known.
pub fn enough_vcpus_of(
    vm: &str,
    vcpus: u32,
    setting: Performance,
    smt: bool,
) -> Result<(), Problem> {
    minimum_vcpus(vcpus, setting, smt).map_err(|minimum| {
        Problem::new(
            Code::VmNotEnoughVcpus,
            &[vm],
            format!("VM {vm} has {}.", count(vcpus, "vCPU")),
        )
        .needed(minimum.message)
        .under(Code::MinProcessorCounter)
    })
}

/// The virtual switch of an intent on one node, by every name that a vNIC can call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The intent.
    pub intent: String,
    /// Its bridge.
    pub bridge: String,
    /// libvirt networks that lead to that bridge.
    pub networks: Vec<String>,
}

impl Switch {
    /// Whether a vNIC is on it, as the software path that a VF can stand beside.
    pub fn has(&self, vnic: &Vnic) -> bool {
        let source = vnic.source.as_deref();
        vnic.host_device.is_none()
            && match vnic.kind.as_str() {
                "bridge" => {
                    source == Some(&self.bridge)
                        || self.networks.iter().any(|name| source == Some(name))
                }
                "network" => self.networks.iter().any(|name| source == Some(name)),
                _ => false,
            }
    }
}

/// The vNIC of `vm` that is accelerated: the first virtio one on `switch`.
///
/// # Errors
///
/// The VM has no vNIC at all, none of them is there, or none of those is virtio.
pub fn vnic_on<'a>(vm: &'a Domain, switch: &Switch) -> Result<&'a Vnic, Problem> {
    has_vnics(vm)?;
    let refuse = |found: String| {
        Err(Problem::new(
            Code::VmNotOnSwitch,
            &[&vm.name, &switch.intent],
            found,
        ))
    };
    let on: Vec<&Vnic> = vm.vnics.iter().filter(|vnic| switch.has(vnic)).collect();
    let fit = |vnic: &&&Vnic| {
        let virtio = vnic
            .model
            .as_deref()
            .is_some_and(|model| model.starts_with("virtio"));
        virtio && vnic.mac.is_some()
    };
    match (on.iter().find(fit), on.first()) {
        (Some(vnic), _) => Ok(vnic),
        (None, Some(other)) => refuse(format!(
            "Its vNIC {} there is of model {}; a VF can only stand beside a virtio vNIC.",
            other
                .mac
                .map_or_else(|| "without MAC".to_owned(), |mac| mac.to_string()),
            other.model.as_deref().unwrap_or("libvirt's default"),
        )),
        (None, None) => {
            let places: Vec<String> = vm.vnics.iter().map(place_of).collect();
            refuse(format!(
                "Its vNICs are on {}; the switch is bridge {}, libvirt network {}.",
                places.join(", "),
                switch.bridge,
                switch.networks.join(" or ")
            ))
        }
    }
}

fn place_of(vnic: &Vnic) -> String {
    let source = vnic.source.as_deref().unwrap_or("nothing");
    format!("{} {source}", vnic.kind)
}

/// `mac` must be nobody else's; `macs` has, for each MAC that is in use, who has it.
pub fn mac_is_its_own(
    vm: &str,
    mac: Mac,
    macs: &BTreeMap<Mac, Vec<String>>,
) -> Result<(), Problem> {
    let others: Vec<&str> = macs
        .get(&mac)
        .into_iter()
        .flatten()
        .map(String::as_str)
        .filter(|owner| *owner != vm)
        .collect();
    match others.as_slice() {
        [] => Ok(()),
        others => Err(Problem::new(
            Code::MacDuplicate,
            &[&mac.to_string(), vm],
            format!("{} has it, too.", others.join(" and ")),
        )),
    }
}

/// What one adapter has to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// VFs that nobody uses.
    pub free_vfs: u32,
    /// Queue pairs that are free for VFs.
    pub free_queue_pairs: u32,
    /// Queue pairs that one VF can have at most.
    pub most_queue_pairs: u32,
}

/// One of the adapters must be able to give a VF the setting's queue pairs at all.
pub fn provisionable(
    setting: Performance,
    figures: &Figures,
    adapters: &[Room],
) -> Result<(), Problem> {
    let pairs = figures.of(setting).queue_pairs;
    let most = adapters.iter().map(|room| room.most_queue_pairs).max();
    match most {
        Some(most) if most >= pairs => Ok(()),
        _ => Err(Problem::new(
            Code::CannotProvisionPerformance,
            &[&setting.to_string()],
            format!(
                "A VF here can have {} at most.",
                count(most.unwrap_or(0), "queue pair")
            ),
        )
        .needed(format!("{} for one VF.", count(pairs, "queue pair")))),
    }
}

/// One of the adapters must have room for the VM now; the first that has it is named by
/// its place.
pub fn place(
    vm: &str,
    setting: Performance,
    figures: &Figures,
    adapters: &[Room],
) -> Result<usize, Problem> {
    provisionable(setting, figures, adapters)?;
    let pairs = figures.of(setting).queue_pairs;
    let fits = |room: &Room| {
        room.free_vfs >= 1 && room.free_queue_pairs >= pairs && room.most_queue_pairs >= pairs
    };
    adapters.iter().position(fits).ok_or_else(|| {
        let vfs: u32 = adapters.iter().map(|room| room.free_vfs).sum();
        let free: u32 = adapters.iter().map(|room| room.free_queue_pairs).sum();
        let needed = count(pairs, "queue pair");
        let binding = match (vfs, free) {
            (0, _) => "; VFs bind".to_owned(),
            (_, free) if free < pairs => "; queue pairs bind".to_owned(),
            _ => format!(", but no adapter has a VF and {needed} together"),
        };
        let (vfs, free) = (count(vfs, "VF"), count(free, "queue pair"));
        Problem::new(
            Code::ClusterNotEnoughResources,
            &[vm],
            format!("{vfs} and {free} are free{binding}."),
        )
    })
}

/// "1 VF", "2 VFs".
fn count(number: u32, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        number => format!("{number} {thing}s"),
    }
}

#[cfg(test)]
mod tests;
