//! One VM against a performance setting: vNICs, vCPUs, figures, room.

use accelnet_model::performance::{Figures, Performance};
use accelnet_model::{Code, Domain, Problem};

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
    minimum_vcpus(vm.vcpus, setting, smt).map_err(|minimum| {
        Problem::new(
            Code::VmNotEnoughVcpus,
            &[&vm.name],
            format!("VM {} has {}.", vm.name, count(vm.vcpus, "vCPU")),
        )
        .needed(minimum.message)
    })
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
