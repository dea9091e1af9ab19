//! The memory spaces of VFs: their BARs, and whether they were given room.

use accelnet_model::adapter::VfBar;

use crate::read_error::ReadError;
use crate::root::Root;

#[cfg(test)]
mod tests;

/// First of the six lines for VF BARs in `resource`, after six BARs and the ROM
/// (`PCI_IOV_RESOURCES` in `include/linux/pci.h`).
const FIRST: usize = 7;
/// `IORESOURCE_PREFETCH`, `IORESOURCE_MEM_64` and `IORESOURCE_UNSET`
/// (`include/linux/ioport.h`).
const PREFETCH: u64 = 0x2000;
const WIDE: u64 = 0x10_0000;
const UNSET: u64 = 0x2000_0000;
/// Bits of a BAR register: its width and prefetchability (section 7.5.1.2.1).
const REGISTER_WIDTH: u32 = 0b110;
const REGISTER_WIDE: u32 = 0b100;
const REGISTER_PREFETCH: u32 = 0b1000;

/// What the kernel gave one BAR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Resource {
    start: u64,
    end: u64,
    flags: u64,
}

/// Reads what the kernel gave the six VF BARs of the function in the folder `device`; less
/// than six, or none, where the kernel has no SR-IOV.
///
/// # Errors
///
/// When the file `resource` cannot be read or understood.
pub fn resources(root: &Root, device: &str) -> Result<Vec<Resource>, ReadError> {
    let path = format!("{device}/resource");
    let text = root.text(&path)?;
    let lines = text.lines().skip(FIRST).take(6);
    let all: Result<Vec<Resource>, ReadError> = lines
        .map(|line| {
            resource(line).ok_or_else(|| {
                ReadError::unexpected(&path, line, "start, end and flags of a resource")
            })
        })
        .collect();
    let all = all?;
    // A kernel with SR-IOV shows all six.
    match all.len() {
        0..6 => {
            let found = format!("{} lines", text.lines().count());
            Err(ReadError::unexpected(&path, &found, "the resources of VFs"))
        }
        _ => Ok(all),
    }
}

fn resource(line: &str) -> Option<Resource> {
    let mut numbers = line
        .split_whitespace()
        .map(|word| u64::from_str_radix(word.strip_prefix("0x")?, 16).ok());
    Some(Resource {
        start: numbers.next()??,
        end: numbers.next()??,
        flags: numbers.next()??,
    })
}

impl Resource {
    fn assigned(&self) -> bool {
        self.start != 0 && self.end != 0 && self.flags & UNSET == 0
    }

    /// Bytes for one of `vfs` VFs: the kernel makes room for all of them together.
    fn size(&self, vfs: Option<u16>) -> Option<u64> {
        let length = self.end.checked_sub(self.start)?.checked_add(1)?;
        let size = length.checked_div(vfs?.into())?;
        (self.end != 0 && size != 0).then_some(size)
    }
}

/// The VF BARs of an adapter: from what the kernel gave them, and from the BAR registers
/// and TotalVFs of its capability where those could be read. After an assignment that
/// failed, some kernels leave no trace of a BAR but in its register.
pub fn bars(resources: &[Resource], registers: Option<&[u32; 6]>, vfs: Option<u16>) -> Vec<VfBar> {
    let mut bars = Vec::new();
    let mut upper_half = false;
    for index in 0..6u8 {
        if std::mem::take(&mut upper_half) {
            continue;
        }
        let place = usize::from(index);
        let resource = resources.get(place).copied().unwrap_or_default();
        let register = registers.map_or(0, |registers| registers[place]);
        if resource.flags == 0 && register == 0 {
            continue;
        }
        let wide = resource.flags & WIDE != 0 || register & REGISTER_WIDTH == REGISTER_WIDE;
        bars.push(VfBar {
            index,
            size: resource.size(vfs),
            is_64bit: wide,
            prefetchable: resource.flags & PREFETCH != 0 || register & REGISTER_PREFETCH != 0,
            assigned: resource.assigned(),
        });
        upper_half = wide;
    }
    bars
}
