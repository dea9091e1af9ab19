//! The SR-IOV capability of a physical function (section 9.3.3).

use super::{ConfigSpace, Incomplete, Registers};

/// `PCI_EXT_CAP_ID_SRIOV` and its size up to the VF BARs' end.
const SRIOV: u16 = 0x10;
const SIZE: usize = 0x40;
/// `PCI_SRIOV_CTRL`: VF enable, memory space enable, ARI capable hierarchy.
const CONTROL: u16 = 0x08;
const ENABLE: u16 = 1;
const MEMORY: u16 = 1 << 3;
const ARI: u16 = 1 << 4;
/// `PCI_SRIOV_INITIAL_VF`, `PCI_SRIOV_TOTAL_VF`, `PCI_SRIOV_NUM_VF`.
const INITIAL: u16 = 0x0c;
const TOTAL: u16 = 0x0e;
const NUMBER: u16 = 0x10;
/// `PCI_SRIOV_VF_OFFSET`, `PCI_SRIOV_VF_STRIDE`, `PCI_SRIOV_VF_DID`.
const OFFSET: u16 = 0x14;
const STRIDE: u16 = 0x16;
const DEVICE: u16 = 0x1a;
/// `PCI_SRIOV_SUP_PGSIZE`.
const PAGE_SIZES: u16 = 0x1c;
/// `PCI_SRIOV_BAR`.
const BARS: u16 = 0x24;

/// The SR-IOV capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SriovCapability {
    /// VFs are switched on.
    pub enabled: bool,
    /// The memory spaces of the VFs answer.
    pub memory_enabled: bool,
    /// VFs may use function numbers past 7 (ARI capable hierarchy).
    pub ari_hierarchy: bool,
    /// InitialVFs.
    pub initial_vfs: u16,
    /// TotalVFs.
    pub total_vfs: u16,
    /// NumVFs.
    pub num_vfs: u16,
    /// First VF offset; may be 0 while NumVFs is.
    pub offset: u16,
    /// VF stride; may be 0 while NumVFs is 0 or 1.
    pub stride: u16,
    /// Device id of the VFs.
    pub vf_device: u16,
    /// Page sizes it can align VF BARs to: bit n stands for 4096 << n bytes.
    pub page_sizes: u32,
    /// The VF BAR registers as they are.
    pub bars: [u32; 6],
}

impl SriovCapability {
    /// VFs that are switched on: NumVFs counts only with VF enable.
    pub fn switched_on(&self) -> u32 {
        match self.enabled {
            true => self.num_vfs.into(),
            false => 0,
        }
    }
}

impl<R: Registers> ConfigSpace<R> {
    /// The SR-IOV capability; none where the function lacks it.
    ///
    /// # Errors
    ///
    /// When it cannot be determined whether there is one, or what it holds.
    pub fn sriov(&self) -> Result<Option<SriovCapability>, Incomplete> {
        let Some(at) = self.extended(SRIOV, SIZE as u16)? else {
            return Ok(None);
        };
        let registers = self.registers.read::<SIZE>(at)?;
        let capability = ConfigSpace::new(registers.as_slice());
        let control = capability.u16(CONTROL)?;
        let mut bars = [0; 6];
        for (bar, place) in bars.iter_mut().zip((BARS..).step_by(4)) {
            *bar = capability.u32(place)?;
        }
        Ok(Some(SriovCapability {
            enabled: control & ENABLE != 0,
            memory_enabled: control & MEMORY != 0,
            ari_hierarchy: control & ARI != 0,
            initial_vfs: capability.u16(INITIAL)?,
            total_vfs: capability.u16(TOTAL)?,
            num_vfs: capability.u16(NUMBER)?,
            offset: capability.u16(OFFSET)?,
            stride: capability.u16(STRIDE)?,
            vf_device: capability.u16(DEVICE)?,
            page_sizes: capability.u32(PAGE_SIZES)?,
            bars,
        }))
    }
}
