//! Does the plan of a virtual switch: all of it, checked, or none of it.

use std::net::IpAddr;
use std::time::Duration;

use accelnet_model::switch::{Gateway, Plan, SwitchStep};
use accelnet_netlink::NetlinkError;

use super::Switches;
use super::guard::{Dismissed, Guard};
use crate::Clock;

#[cfg(test)]
mod tests;

/// How much longer than the change its guard waits: as long as the kernel may take for one
/// step, and then some.
const GUARD_WAITS: Duration = Duration::from_secs(20);

/// How long a gateway may take to answer again after everything is as it was.
const AGAIN: Duration = Duration::from_secs(3);

/// What a change is made with.
#[derive(Clone, Copy)]
pub struct Edge<'a> {
    /// The node's switches.
    pub switches: &'a dyn Switches,
    /// Who restores when we cannot.
    pub guard: &'a dyn Guard,
    /// Time.
    pub clock: &'a dyn Clock,
}

/// How long things may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A gateway that has not answered for so long before the change is not demanded after it.
    pub before: Duration,
    /// All steps, until every gateway answers again. Adapters may lose their link for some
    /// seconds when they become a port.
    pub within: Duration,
}

impl Default for Limits {
    /// 3 s and 30 s.
    fn default() -> Self {
        Limits {
            before: Duration::from_secs(3),
            within: Duration::from_secs(30),
        }
    }
}

/// What is known after a change that went through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HandedOver {
    /// Gateways that answered before and afterwards.
    pub answered: Vec<IpAddr>,
    /// Gateways that did not answer before, and were not asked afterwards.
    pub silent_before: Vec<IpAddr>,
}

/// Why a change was taken back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// A step was refused.
    #[error("{0}")]
    Refused(NetlinkError),
    /// Time was up before a step.
    #[error("{step}: {} s were up", within.as_secs())]
    Late {
        /// The step that was not begun.
        step: Box<SwitchStep>,
        /// How long it might have taken.
        within: Duration,
    },
    /// A gateway that answered before did not answer afterwards.
    #[error("reach gateway {gateway} within {} s", within.as_secs())]
    Silent {
        /// Which one.
        gateway: Gateway,
        /// How long it might have taken.
        within: Duration,
    },
}

/// A change that did not go through; texts fit after "failed to".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotHandedOver {
    /// Nothing was changed: no process would have restored what was if we had died.
    #[error("start a guard for the change: {0}")]
    NoGuard(String),
    /// What was is restored.
    #[error(
        "{cause}; {}{}",
        if failed.is_empty() { "everything is as it was".to_owned() }
        else { format!("not everything could be restored: failed to {}", failed.join("; failed to ")) },
        if still_silent.is_empty() { String::new() }
        else { format!("; {} still without an answer", list(still_silent)) }
    )]
    RolledBack {
        /// Why.
        cause: Cause,
        /// What could not be undone.
        failed: Vec<String>,
        /// Gateways that answered before the change and do not now.
        still_silent: Vec<IpAddr>,
    },
    /// The guard ran out of patience and restored what was, while we were held up.
    #[error("finish the change of bridge {bridge} in time; its guard restored what was")]
    Guarded {
        /// The bridge.
        bridge: String,
    },
}

fn list(addresses: &[IpAddr]) -> String {
    let texts: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
    texts.join(", ")
}

/// Does all steps of `plan` and asks every gateway that answered before, or restores what
/// was; `on` is notified of each step before it is done.
///
/// # Errors
///
/// See [`NotHandedOver`].
pub fn hand_over(
    edge: Edge<'_>,
    plan: &Plan,
    limits: Limits,
    on: &mut dyn FnMut(&SwitchStep),
) -> Result<HandedOver, NotHandedOver> {
    if plan.steps.is_empty() {
        return Ok(HandedOver::default());
    }
    let (demanded, silent): (Vec<&Gateway>, Vec<&Gateway>) =
        plan.gateways.iter().partition(|gateway| {
            edge.switches
                .answers(gateway.ip, &gateway.before, limits.before)
        });
    let guard = edge
        .guard
        .watch(&plan.bridge, &plan.undo, limits.within + GUARD_WAITS)
        .map_err(|error| NotHandedOver::NoGuard(error.to_string()))?;
    let ended = attempt(edge, plan, &demanded, limits.within, on);
    let taken_back = ended.err().map(|cause| {
        let steps = plan.undo.iter();
        let failed = steps.filter_map(|step| edge.switches.apply(step).err());
        let failed = failed.map(|error| error.to_string()).collect();
        (cause, failed)
    });
    let dismissed = guard.dismiss();
    let Some((cause, failed)) = taken_back else {
        let ips = |gateways: Vec<&Gateway>| gateways.iter().map(|gateway| gateway.ip).collect();
        return match dismissed {
            Dismissed::Untouched => Ok(HandedOver {
                answered: ips(demanded),
                silent_before: ips(silent),
            }),
            Dismissed::Restored => Err(NotHandedOver::Guarded {
                bridge: plan.bridge.clone(),
            }),
        };
    };
    let silent_now = |gateway: &&Gateway| {
        let (ip, link) = (gateway.ip, &gateway.before);
        (!edge.switches.answers(ip, link, AGAIN)).then_some(ip)
    };
    Err(NotHandedOver::RolledBack {
        cause,
        failed,
        still_silent: demanded.iter().filter_map(silent_now).collect(),
    })
}

/// Does the steps and asks the gateways.
fn attempt(
    edge: Edge<'_>,
    plan: &Plan,
    demanded: &[&Gateway],
    within: Duration,
    on: &mut dyn FnMut(&SwitchStep),
) -> Result<(), Cause> {
    let begun = edge.clock.uptime();
    let left = || within.saturating_sub(edge.clock.uptime().saturating_sub(begun));
    for step in &plan.steps {
        if left().is_zero() {
            let step = Box::new(step.clone());
            return Err(Cause::Late { step, within });
        }
        on(step);
        edge.switches.apply(step).map_err(Cause::Refused)?;
    }
    for gateway in demanded {
        if !edge.switches.answers(gateway.ip, &gateway.after, left()) {
            let gateway = (*gateway).clone();
            return Err(Cause::Silent { gateway, within });
        }
    }
    Ok(())
}
