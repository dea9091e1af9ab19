//! One VM and a performance setting: vNICs, vCPUs, queue pairs and free capacity.

use std::collections::BTreeMap;

use accelnet_model::domain::Vnic;
use accelnet_model::performance::{Performance, PerformanceSettings};
use accelnet_model::{Code, Domain, Mac, Problem};

/// Checks that the VM has a vNIC.
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

/// The vNICs of a VM on the virtual switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates<'a> {
    /// The one that is accelerated.
    pub chosen: &'a Vnic,
    /// MACs of the others that could be.
    pub others: Vec<Mac>,
}

/// The vNIC of `vm` that is accelerated: of the virtio ones on `switch` the one with MAC `known`, which was
/// accelerated before, or the first.
///
/// # Errors
///
/// The VM has no vNIC at all, none of them is there, or none of those is virtio and has a MAC.
pub fn vnic_on<'a>(
    vm: &'a Domain,
    switch: &Switch,
    known: Option<Mac>,
) -> Result<Candidates<'a>, Problem> {
    has_vnics(vm)?;
    let on: Vec<&Vnic> = vm.vnics.iter().filter(|vnic| switch.has(vnic)).collect();
    let mut fit = on.iter().copied().filter(|vnic| is_fit(vnic));
    let before = fit
        .clone()
        .find(|vnic| known.is_some() && vnic.mac == known);
    match (before.or_else(|| fit.next()), on.first()) {
        (Some(chosen), _) => {
            let mut others: Vec<Mac> = on
                .iter()
                .filter(|vnic| is_fit(vnic))
                .filter_map(|vnic| vnic.mac)
                .filter(|mac| Some(*mac) != chosen.mac)
                .collect();
            others.dedup();
            Ok(Candidates { chosen, others })
        }
        (None, Some(other)) => Err(no_virtio(&vm.name, other, switch)),
        (None, None) => {
            let places: Vec<String> = vm.vnics.iter().map(place_of).collect();
            Err(Problem::new(
                Code::VmNotOnSwitch,
                &[&vm.name, &switch.intent],
                format!(
                    "Its vNICs are on {}; the switch is bridge {}, libvirt network {}.",
                    places.join(", "),
                    switch.bridge,
                    switch.networks.join(" or ")
                ),
            ))
        }
    }
}

/// The vNIC of `vm` that an administrator chose by its MAC. `known` is the MAC of the one that is
/// accelerated already.
///
/// # Errors
///
/// The VM has none with that MAC, it is on another switch, it is no virtio one, or another one is
/// accelerated.
pub fn vnic_called<'a>(
    vm: &'a Domain,
    switch: &Switch,
    mac: Mac,
    known: Option<Mac>,
) -> Result<Candidates<'a>, Problem> {
    has_vnics(vm)?;
    let refuse =
        |found: String| Problem::new(Code::VnicNotFound, &[&vm.name, &mac.to_string()], found);
    if let Some(known) = known.filter(|known| *known != mac) {
        let name = &vm.name;
        return Err(refuse(format!(
            "Its vNIC {known} is accelerated, and a VM has one VF."
        ))
        .resolution(format!(
            "Run 'accelnet vm disable {name}' first, then the same command again."
        )));
    }
    let is_path = |vnic: &&Vnic| vnic.host_device.is_none() && vnic.kind != "hostdev";
    let mut own = vm.vnics.iter().filter(is_path);
    let on = own
        .clone()
        .find(|vnic| vnic.mac == Some(mac) && switch.has(vnic));
    let chosen = on.or_else(|| own.find(|vnic| vnic.mac == Some(mac)));
    let Some(chosen) = chosen else {
        let places = vm.vnics.iter().filter(is_path).map(|vnic| {
            let mac = vnic
                .mac
                .map_or_else(|| "without MAC".to_owned(), |mac| mac.to_string());
            format!("{mac} ({})", place_of(vnic))
        });
        let places: Vec<String> = places.collect();
        return Err(refuse(format!("Its vNICs are {}.", places.join(", "))));
    };
    if !switch.has(chosen) {
        return Err(refuse(format!(
            "That vNIC is on {}; the switch is bridge {}, libvirt network {}.",
            place_of(chosen),
            switch.bridge,
            switch.networks.join(" or ")
        )));
    }
    match is_fit(chosen) {
        true => Ok(Candidates {
            chosen,
            others: Vec::new(),
        }),
        false => Err(no_virtio(&vm.name, chosen, switch)),
    }
}

/// Whether a VF can stand beside it.
fn is_fit(vnic: &Vnic) -> bool {
    let model = vnic.model.as_deref();
    vnic.mac.is_some() && model.is_some_and(|model| model.starts_with("virtio"))
}

/// A vNIC on the switch that no VF can stand beside.
fn no_virtio(vm: &str, vnic: &Vnic, switch: &Switch) -> Problem {
    let mac = vnic
        .mac
        .map_or_else(|| "without MAC".to_owned(), |mac| mac.to_string());
    let model = vnic.model.as_deref().unwrap_or("libvirt's default");
    let found = format!(
        "Its vNIC {mac} is on the virtual switch of intent {}, and its model is {model}.",
        switch.intent
    );
    Problem::new(Code::VmUnfit, &[vm], found)
        .needed("A vNIC of model virtio: only its driver fails over between vNIC and VF.")
        .resolution(
            "Set <model type='virtio'/> of that vNIC with 'virsh edit', and stop and start the VM; its guest needs the virtio driver.",
        )
}

fn place_of(vnic: &Vnic) -> String {
    let source = vnic.source.as_deref().unwrap_or("nothing");
    format!("{} {source}", vnic.kind)
}

/// `mac` must not be in use; `macs` has, for each MAC that is in use, who has it.
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

/// The free capacity of one adapter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FreeCapacity {
    /// VFs that are not in use.
    pub free_vfs: u32,
    /// Queue pairs that are free for VFs.
    pub free_queue_pairs: u32,
    /// Queue pairs that one VF can have at most.
    pub most_queue_pairs: u32,
}

/// Checks that one of the adapters can give a VF the queue pairs of the setting.
pub fn provisionable(
    setting: Performance,
    figures: &PerformanceSettings,
    adapters: &[FreeCapacity],
) -> Result<(), Problem> {
    let pairs = figures.of(setting).queue_pairs;
    let most = adapters.iter().map(|free| free.most_queue_pairs).max();
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

/// Checks that one of the adapters has free capacity for the VM; the first is returned by
/// its place.
pub fn place(
    vm: &str,
    setting: Performance,
    figures: &PerformanceSettings,
    adapters: &[FreeCapacity],
) -> Result<usize, Problem> {
    provisionable(setting, figures, adapters)?;
    let pairs = figures.of(setting).queue_pairs;
    let fits = |free: &FreeCapacity| {
        free.free_vfs >= 1 && free.free_queue_pairs >= pairs && free.most_queue_pairs >= pairs
    };
    adapters.iter().position(fits).ok_or_else(|| {
        let vfs: u32 = adapters.iter().map(|free| free.free_vfs).sum();
        let free: u32 = adapters.iter().map(|free| free.free_queue_pairs).sum();
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
