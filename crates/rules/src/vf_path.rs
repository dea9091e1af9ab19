//! The path of a running VM's traffic, by observations of its VF, and the consequences: whether the
//! software path receives, too (failover bridging), whether the VF is taken back, and when to check again.
//!
//! Nothing here believes the domain's XML. A VF is proved by its guest's driver, or the path is not the
//! VF's. What cannot be determined is bridged and never taken back.

use std::time::Duration;

use accelnet_model::vf_evidence::Holding;
use accelnet_model::{Observed, VfEvidence};

#[cfg(test)]
mod tests;

/// How long a guest may take to drive its VF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// After the VF was attached to a running guest.
    pub attached: Duration,
    /// After the VM was started or its guest rebooted, or a guest that drove its VF stopped doing so.
    pub started: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            attached: Duration::from_secs(120),
            started: Duration::from_secs(300),
        }
    }
}

/// The start of the guest's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// The VF was attached while the guest ran.
    Attached,
    /// The VM was started.
    Started,
    /// The guest rebooted.
    Rebooted,
    /// The guest drove the VF, and stopped.
    Lost,
}

impl Begin {
    fn limit(self, limits: Limits) -> Duration {
        match self {
            Begin::Attached => limits.attached,
            Begin::Started | Begin::Rebooted | Begin::Lost => limits.started,
        }
    }
}

/// Observations of a VM and its VF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whether the VM runs; one that is paused or sleeps uses up no time.
    pub running: bool,
    /// What the host shows of its VF; none for a VM without one.
    pub vf: Option<VfEvidence>,
    /// Whether QEMU reported that the guest takes part in failover, since it last booted; none where
    /// QEMU's events were not received.
    pub negotiated: Option<bool>,
    /// Whether the guest's agent lists the VF; none where it does not answer or its answer proves nothing.
    pub guest: Option<bool>,
    /// Whether the guest sends over its vNIC although its driver works the VF.
    pub sends_on_vnic: bool,
    /// Whether the VF's adapter has link; none where that cannot be determined. Without link its VFs have
    /// none.
    pub link: Option<bool>,
    /// Whether the software path leads over another adapter than the VF's.
    pub elsewhere: bool,
    /// The start of its time.
    pub begin: Begin,
    /// How long it has run since then without being seen to drive its VF.
    pub waited: Duration,
}

/// The path, as far as it is proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Path {
    /// The guest drives its VF.
    Vf,
    /// The software path alone: the guest has no VF, or does not drive it.
    Software,
    /// It cannot be determined; the software path receives, too.
    Unknown,
}

/// How far a guest's time to drive its VF has run out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// Nothing is waited for.
    NotCounted,
    /// It may still come.
    Left,
    /// It takes longer than guests do: to be reported.
    Late,
    /// Its time is over.
    Over,
}

/// The consequences of the observations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The path.
    pub path: Path,
    /// The observation and its source, as a fragment.
    pub why: String,
    /// Whether the adapter passes the VM's frames to the bridge, too.
    pub bridge: bool,
    /// How far the guest's time has run out.
    pub time: Time,
    /// Whether the VF is to be taken back: it is certain that the guest does not drive it, and its time is
    /// over.
    pub take_back: bool,
    /// When to check again without an event; none where an event reports every change.
    pub next_check: Option<Duration>,
}

/// For how long the adapter of a VF that a guest drove may be without link. A guest with a VF drops what it
/// receives over its vNIC, whether the VF has link or not (`net_failover_handle_frame` of Linux).
const WITHOUT_LINK: Duration = Duration::from_secs(5);

/// A driver that works its VF is read this often, since no event reports that a guest unbinds it.
const WORKS: Duration = Duration::from_secs(60);
/// A guest that is waited for is read after an eighth of the time it has taken, within these bounds.
const SOONEST: Duration = Duration::from_secs(1);
const LATEST: Duration = Duration::from_secs(5);

/// Evaluates the observations of a VM.
pub fn judge(observation: &Observation, limits: Limits) -> Verdict {
    let Some(vf) = &observation.vf else {
        return Verdict {
            path: Path::Software,
            why: "it has no VF".to_owned(),
            bridge: true,
            time: Time::NotCounted,
            take_back: false,
            next_check: None,
        };
    };
    let (path, certain, why) = prove(observation, vf);
    let time = match path {
        Path::Vf => Time::NotCounted,
        _ if without_link(observation) => {
            match observation.elsewhere || observation.waited >= WITHOUT_LINK {
                true => Time::Over,
                false => Time::Left,
            }
        }
        Path::Software | Path::Unknown => time(observation, limits),
    };
    let next_check = match (observation.running, path, time) {
        (false, ..) => None,
        (true, _, Time::NotCounted | Time::Over) => Some(WORKS),
        (true, ..) => Some((observation.waited / 8).clamp(SOONEST, LATEST)),
    };
    Verdict {
        path,
        why,
        bridge: path != Path::Vf,
        time,
        take_back: (certain || without_link(observation))
            && observation.running
            && time == Time::Over,
        next_check,
    }
}

/// The path, whether it is certain that the guest does not drive its VF, and why.
fn prove(observation: &Observation, vf: &VfEvidence) -> (Path, bool, String) {
    let held = match &vf.held {
        Observed::Known(Holding::NotHeld) => {
            let hidden = match observation.negotiated {
                Some(true) => "",
                _ => ", which hides it until the guest offers VIRTIO_NET_F_STANDBY",
            };
            let why =
                format!("the VF is not plugged into the guest: QEMU does not hold it{hidden}");
            return (Path::Software, true, why);
        }
        Observed::Known(Holding::Held(file)) => Some(file.as_str()),
        Observed::Unknown(_) => None,
    };
    let by_qemu = held.map_or_else(String::new, |file| format!("QEMU holds {file}, and "));
    if observation.link == Some(false) && vf.bus_master != Observed::Known(false) {
        let why = "the adapter of its VF has no link, and a guest receives nothing over its vNIC while it has a VF";
        return (Path::Unknown, false, why.to_owned());
    }
    match &vf.bus_master {
        Observed::Known(true) if observation.sends_on_vnic => {
            let why = format!(
                "{by_qemu}a driver of the guest works the VF, but the guest sends over its vNIC"
            );
            (Path::Unknown, false, why)
        }
        Observed::Known(true) if observation.negotiated == Some(false) => {
            let why = format!(
                "{by_qemu}a driver of the guest uses the VF, but the guest has not negotiated failover since its reboot"
            );
            (Path::Unknown, false, why)
        }
        Observed::Known(true) => {
            let why = format!("{by_qemu}a driver of the guest works the VF (bus master is on)");
            (Path::Vf, false, why)
        }
        Observed::Known(false) => {
            let why = format!("{by_qemu}no driver of the guest works the VF (bus master is off)");
            (Path::Software, true, why)
        }
        Observed::Unknown(reason) => match (observation.guest, held) {
            (Some(true), Some(_)) => (
                Path::Vf,
                false,
                format!("{by_qemu}its guest agent lists it"),
            ),
            (Some(false), _) => (
                Path::Software,
                true,
                "its guest agent lists no VF".to_owned(),
            ),
            _ => (
                Path::Unknown,
                false,
                format!("the VF cannot be read: {reason}"),
            ),
        },
    }
}

/// Whether the guest works a VF whose adapter has no link. One that boots is given time to use its VF first,
/// unless its software path leads over another adapter.
fn without_link(observation: &Observation) -> bool {
    let bus_master = observation.vf.as_ref().map(|vf| &vf.bus_master);
    let works = matches!(bus_master, Some(Observed::Known(true)));
    works
        && observation.link == Some(false)
        && (observation.elsewhere || observation.begin == Begin::Lost)
}

fn time(observation: &Observation, limits: Limits) -> Time {
    let limit = observation.begin.limit(limits);
    match observation.waited {
        waited if waited >= limit => Time::Over,
        waited if waited >= limit * 2 / 5 => Time::Late,
        _ => Time::Left,
    }
}
