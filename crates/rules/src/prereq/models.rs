//! Models that are on record as doing SR-IOV on Linux. One that is not is a warning.

use accelnet_model::check::Row;
use accelnet_model::{Adapter, Check, Code, Observed, Problem};

/// Vendors and their drivers with SR-IOV in mainline Linux: those below
/// `drivers/net/ethernet` that set `sriov_configure` or make VFs through devlink.
const ON_RECORD: [(u16, &str); 26] = [
    (0x8086, "igb"),
    (0x8086, "ixgbe"),
    (0x8086, "i40e"),
    (0x8086, "ice"),
    (0x8086, "idpf"),
    (0x8086, "fm10k"),
    (0x15b3, "mlx4_core"),
    (0x15b3, "mlx5_core"),
    (0x14e4, "bnx2x"),
    (0x14e4, "bnxt_en"),
    (0x14e4, "tg3"),
    (0x1077, "qede"),
    (0x1077, "qlcnic"),
    (0x1924, "sfc"),
    (0x10ee, "sfc"),
    (0x1425, "cxgb4"),
    (0x19ee, "nfp"),
    (0x1da8, "nfp"),
    (0x19a2, "be2net"),
    (0x10df, "be2net"),
    (0x177d, "liquidio"),
    (0x177d, "rvu_nicpf"),
    (0x177d, "octeon_ep"),
    (0x19e5, "hinic"),
    (0x19e5, "hns3"),
    (0x1dd8, "ionic"),
];

/// A model off record is a warning, never a block.
pub fn judge(adapter: &Adapter, row: Row<'_>) -> Check {
    let model = describe(adapter);
    let vendor = adapter.vendor.id.known().copied();
    let driver = adapter.driver.present().map(|driver| driver.name.as_str());
    let known = ON_RECORD
        .iter()
        .any(|(of, name)| Some(*of) == vendor && driver.is_none_or(|driver| driver == *name));
    if known {
        return row.passed(format!("{model}."));
    }
    let with = match driver {
        Some(driver) => format!("{model} with driver {driver}."),
        None => format!("{model}, no driver bound."),
    };
    row.warned(Problem::new(
        Code::AdapterModelUnknown,
        &[row.subject],
        with,
    ))
}

/// Vendor and device, by name where they have one.
pub fn describe(adapter: &Adapter) -> String {
    let part = |id: &accelnet_model::adapter::PciId, kind: &str| match (&id.name, &id.id) {
        (Observed::Known(Some(name)), _) => name.clone(),
        (_, Observed::Known(number)) => format!("{kind} {number:04x}"),
        (_, Observed::Unknown(_)) => format!("unknown {kind}"),
    };
    format!(
        "{} {}",
        part(&adapter.vendor, "vendor"),
        part(&adapter.device, "device")
    )
}
