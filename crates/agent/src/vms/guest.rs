//! What guest agents answer: the interfaces of a guest, and its operating system.

use std::collections::BTreeMap;
use std::time::Duration;

use accelnet_api::types::Verified;
use accelnet_host::vms::GuestAnswer;
use accelnet_model::{Code, Domain, Mac, Problem, Uuid};
use accelnet_rules::guest::{self, System};
use accelnet_rules::vf_path::Observation;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::world::World;

/// How long a guest agent may take to answer.
const WITHIN: Duration = Duration::from_secs(2);
/// What is verified by a guest's interfaces.
const CHECK: &str = "guest has both vNIC and VF";

/// By UUID: the devices with which a guest was queried, and its answer.
#[derive(Debug, Default)]
pub(crate) struct Guests(BTreeMap<Uuid, (String, Verified)>);

#[derive(Deserialize)]
struct Answer<T> {
    #[serde(rename = "return")]
    value: T,
}

#[derive(Deserialize)]
struct Interface {
    name: String,
    #[serde(rename = "hardware-address")]
    mac: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "kebab-case")]
struct Os {
    id: String,
    kernel_release: String,
    kernel_version: String,
}

impl Guests {
    /// Queries the guests of VMs whose devices changed since the last time; `evidence` is that of a VM's path.
    pub fn query<'a>(
        &mut self,
        ctx: &Context,
        world: &World,
        evidence: impl Fn(&str) -> Option<&'a Observation>,
    ) {
        for setting in world.own_settings() {
            let Some(domain) = world.snapshot.running(&setting.uuid) else {
                self.0.remove(&setting.uuid);
                continue;
            };
            let held = held_by(domain, evidence(&domain.uuid));
            let known = self.0.get(&setting.uuid);
            if known.is_none_or(|(with, _)| *with != held) {
                let answer = interfaces(ctx, domain, setting.mac);
                self.0.insert(setting.uuid.clone(), (held, answer));
            }
        }
    }

    /// What the guest of a VM answered about the devices that it has.
    pub fn answer(&self, domain: &Domain, evidence: Option<&Observation>) -> Verified {
        match self.0.get(&domain.uuid) {
            Some((with, answer)) if *with == held_by(domain, evidence) => answer.clone(),
            _ => verified(None, "not queried yet"),
        }
    }
}

fn verified(ok: Option<bool>, detail: impl Into<String>) -> Verified {
    Verified {
        check: CHECK.to_owned(),
        ok,
        detail: detail.into(),
    }
}

/// The host devices of a VM and whether its guest drives its VF.
fn held_by(domain: &Domain, evidence: Option<&Observation>) -> String {
    let devices = domain.host_devices.iter();
    let mut held: Vec<String> = devices.map(ToString::to_string).collect();
    let driven = evidence.and_then(|evidence| evidence.vf.as_ref()?.bus_master.known());
    held.extend(driven.map(ToString::to_string));
    held.join(" ")
}

fn parsed<T: DeserializeOwned>(answer: &str) -> Result<T, String> {
    let answer = serde_json::from_str::<Answer<T>>(answer);
    answer
        .map(|answer| answer.value)
        .map_err(|error| error.to_string())
}

fn interfaces(ctx: &Context, domain: &Domain, mac: Mac) -> Verified {
    let command = r#"{"execute":"guest-network-get-interfaces"}"#;
    let answer = ctx.edge.vms().ask_guest(&domain.uuid, command, WITHIN);
    let answer = match answer.wait() {
        Ok(answer) => answer,
        Err(error) => return verified(None, error.to_string()),
    };
    let interfaces: Vec<Interface> = match parsed(&answer) {
        Ok(interfaces) => interfaces,
        Err(error) => {
            let detail = format!("the guest agent's answer was not understood: {error}");
            return verified(None, detail);
        }
    };
    let mac = mac.to_string();
    let own = interfaces.into_iter().filter(|one| {
        let own = one.mac.as_deref();
        own.is_some_and(|own| own.eq_ignore_ascii_case(&mac))
    });
    let names: Vec<String> = own.map(|one| one.name).collect();
    // With failover a vNIC alone has two interfaces.
    let ok = match names.len() {
        0 | 1 => Some(false),
        2 => None,
        _ => Some(true),
    };
    verified(
        ok,
        match names.as_slice() {
            [] => format!("the guest has no interface with MAC {mac}"),
            names => format!("with MAC {mac} it has {}", names.join(", ")),
        },
    )
}

/// Queries the operating system of a running VM's guest, for [`warning`].
pub(crate) fn query_system(ctx: &Context, domain: &Domain) -> GuestAnswer {
    let command = r#"{"execute":"guest-get-osinfo"}"#;
    ctx.edge.vms().ask_guest(&domain.uuid, command, WITHIN)
}

/// The warning about a guest that is not known to support a VF beside its vNIC; waits for its answer.
pub(crate) fn warning(domain: &Domain, answer: Option<GuestAnswer>) -> Option<Problem> {
    let by_metadata = |reason: String| match &domain.settings.os_id {
        Some(url) => guest::warning(&domain.name, &System::of_url(url)),
        None => Some(Problem::new(Code::GuestUnknown, &[&domain.name], reason)),
    };
    let Some(answer) = answer else {
        return by_metadata("Its definition does not name its system (libosinfo).".to_owned());
    };
    let answer = match answer.wait() {
        Ok(answer) => answer,
        Err(error) => return by_metadata(format!("Its guest agent was asked, and {error}.")),
    };
    match parsed::<Os>(&answer) {
        Ok(os) => {
            let system = System::of_agent(&os.id, &os.kernel_release, &os.kernel_version);
            guest::warning(&domain.name, &system)
        }
        Err(_) => by_metadata("Its guest agent's answer was not understood.".to_owned()),
    }
}
