//! What a refusal reports about support.

use accelnet_model::Observed;
use accelnet_model::adapter::Support;

use crate::NetlinkError;
use crate::errno::ENOTSUPP;

/// Whether `error` means "cannot", or leaves that open.
pub fn judge(error: &NetlinkError, carrier: bool) -> Observed<Support> {
    let reason = error.reason();
    match error.errno() {
        // Drivers answer this to a rate, or to anything, while the link or the interface
        // is down: igb for rates, bnxt for all.
        Some(libc::EINVAL) if !carrier => Observed::Unknown(format!(
            "refused while the link is down, so not conclusive: {reason}"
        )),
        Some(
            libc::EOPNOTSUPP
            | libc::EPROTONOSUPPORT
            | libc::EINVAL
            | libc::ENOSYS
            | libc::ERANGE
            | ENOTSUPP,
        ) => Observed::Known(Support::No { reason }),
        _ => Observed::Unknown(reason),
    }
}
