//! CPUs: model, sockets, cores, threads, and whether threads share cores.

use std::collections::BTreeSet;

use accelnet_model::Observed;
use accelnet_model::platform::{Cpu, Smt};
use accelnet_pci::{ReadError, Root};

const FOLDER: &str = "/sys/devices/system/cpu";

/// The CPUs that are online.
pub fn topology(root: &Root) -> Observed<Cpu> {
    Observed::from(read_topology(root))
}

fn read_topology(root: &Root) -> Result<Cpu, ReadError> {
    let online = root.text(&format!("{FOLDER}/online"))?;
    let mut sockets = BTreeSet::new();
    let mut cores = BTreeSet::new();
    let mut threads = 0;
    for cpu in list(&online) {
        let topology = format!("{FOLDER}/cpu{cpu}/topology");
        let socket: i32 = root.number(&format!("{topology}/physical_package_id"))?;
        let core: i32 = root.number(&format!("{topology}/core_id"))?;
        // Core ids are unique within a die; most machines have one die a socket.
        let die: i32 = root.number(&format!("{topology}/die_id")).unwrap_or(0);
        sockets.insert(socket);
        cores.insert((socket, die, core));
        threads += 1;
    }
    let count = |set: usize| u32::try_from(set).unwrap_or(u32::MAX);
    Ok(Cpu {
        model: model(root)?,
        sockets: count(sockets.len()),
        cores: count(cores.len()),
        threads,
    })
}

/// The model of the first CPU; other architectures than x86 name none.
fn model(root: &Root) -> Result<String, ReadError> {
    let text = root.text("/proc/cpuinfo")?;
    let model = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map(|(_, model)| model.trim().to_owned());
    Ok(model.unwrap_or_else(|| "unnamed".to_owned()))
}

/// The numbers of a kernel list such as `0-3,8,10-11`.
fn list(text: &str) -> impl Iterator<Item = u32> + '_ {
    text.split(',').filter_map(range).flatten()
}

fn range(part: &str) -> Option<std::ops::RangeInclusive<u32>> {
    let (first, last) = part.split_once('-').unwrap_or((part, part));
    Some(first.trim().parse().ok()?..=last.trim().parse().ok()?)
}

/// Whether threads share cores now.
pub fn smt(root: &Root) -> Observed<Smt> {
    let control = match root.text(&format!("{FOLDER}/smt/control")) {
        Ok(control) => control,
        Err(error) => return Observed::unknown(error.to_string()),
    };
    if matches!(control.as_str(), "notsupported" | "notimplemented") {
        return Observed::Known(Smt::NotSupported);
    }
    match root.text(&format!("{FOLDER}/smt/active")).as_deref() {
        Ok("1") => Observed::Known(Smt::On),
        Ok("0") => Observed::Known(Smt::Off),
        Ok(other) => Observed::unknown(format!("{other:?} in {FOLDER}/smt/active")),
        Err(error) => Observed::unknown(error.to_string()),
    }
}
