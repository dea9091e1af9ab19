//! Whether an address of a bridge runs out.

use accelnet_model::{Code, Problem};

/// An address of a bridge that is valid for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The address, as in `192.0.2.4/24`.
    pub address: String,
    /// The bridge.
    pub bridge: String,
    /// When it runs out, RFC 3339, UTC.
    pub at: String,
    /// The longest time in seconds that it was seen to be valid for.
    pub longest: u32,
    /// What renews it; none when nothing is known to.
    pub renewed_by: Option<String>,
    /// Whether it was seen to be renewed on the bridge, by whatever program.
    pub was_renewed: bool,
    /// Whether accelnet made the bridge, so that no other program is likely to know it.
    pub own_bridge: bool,
}

impl Lease {
    /// The seconds of validity at which it should have been renewed: what renews a lease begins
    /// when half of it is over, and asks every server when an eighth is left (RFC 2131, 4.4.5).
    pub fn due(&self) -> u32 {
        match (&self.renewed_by, self.was_renewed, self.own_bridge) {
            (Some(_), ..) | (_, true, _) => self.longest / 8,
            (None, false, false) => self.longest / 2,
            (None, false, true) => u32::MAX,
        }
    }

    /// The problem with `left` seconds to go; none while it may still be renewed.
    pub fn problem(&self, left: u32) -> Option<Problem> {
        if left > self.due() {
            return None;
        }
        let runs = match left {
            0 => "ran",
            _ => "runs",
        };
        let why = match &self.renewed_by {
            Some(program) => format!("{program} has not renewed it"),
            None => format!("no program known to accelnet renews it on {}", self.bridge),
        };
        let found = format!("It {runs} out at {}: {why}.", self.at);
        let names = [self.address.as_str(), &self.bridge];
        Some(Problem::new(Code::AddressExpires, &names, found))
    }
}
