//! What is remembered of VMs between two looks: why one is without its VF, and what its guest
//! said.

use std::collections::BTreeMap;
use std::time::Duration;

use accelnet_api::types::{EventKind, Verified};
use accelnet_host::vms::GuestAnswer;
use accelnet_model::{Code, Domain, Problem, Uuid, VmSetting};
use accelnet_rules::guest::{self, System};
use serde::Deserialize;

use super::{Core, Seen};
use crate::policy::Policy;

/// How long a guest agent is waited for.
const GUEST: Duration = Duration::from_secs(2);

/// What is remembered, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Remarks {
    reasons: BTreeMap<String, String>,
    /// What does not go with a VF, of VMs that are accelerated.
    unfit: BTreeMap<Uuid, Problem>,
    /// The VF of which the guest was asked, and what it said.
    guests: BTreeMap<Uuid, (String, Verified)>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "return")]
    interfaces: Vec<GuestInterface>,
}

#[derive(Deserialize)]
struct GuestInterface {
    name: String,
    #[serde(rename = "hardware-address")]
    mac: Option<String>,
}

impl Core {
    /// Why a VM is without its VF, if that is known.
    pub(crate) fn reason_of(&self, uuid: &str) -> Option<String> {
        self.remarks.reasons.get(uuid).cloned()
    }

    /// Remembers why a VM is without its VF.
    pub(crate) fn blame(&mut self, uuid: &str, problem: &Problem) {
        let words = match &problem.cause {
            Some(cause) => format!("{} ({cause})", problem.found.trim_end_matches('.')),
            None => problem.found.trim_end_matches('.').to_owned(),
        };
        self.remarks.reasons.insert(uuid.to_owned(), words);
    }

    /// It has its VF again.
    pub(crate) fn forgive(&mut self, uuid: &str) {
        self.remarks.reasons.remove(uuid);
    }

    /// What does not go with a VF, of a VM that is accelerated.
    pub(crate) fn unfit_of(&self, uuid: &str) -> Option<&Problem> {
        self.remarks.unfit.get(uuid)
    }

    /// Forgets the vNICs of VMs that are no longer accelerated, or elsewhere.
    pub(crate) fn forget_vnics(&mut self, policy: &Policy) {
        let name = &self.name;
        let own = |uuid: &Uuid| policy.vm(uuid).is_some_and(|vm| vm.node == *name);
        self.remarks.unfit.retain(|uuid, _| own(uuid));
    }

    /// Remembers, and tells once, what does not go with a VF; none when all does. Whether it is news.
    pub(crate) fn judge_vnic(&mut self, setting: &VmSetting, problem: Option<Problem>) -> bool {
        let (uuid, vm) = (&setting.uuid, &setting.name);
        if self.remarks.unfit.get(uuid) == problem.as_ref() {
            return false;
        }
        match problem {
            Some(problem) => {
                self.tell_problem(EventKind::Drift, vm, &problem);
                self.remarks.unfit.insert(uuid.clone(), problem);
            }
            None => {
                self.remarks.unfit.remove(uuid);
                let message = format!("The settings of the vNIC of VM {vm} go with a VF again.");
                self.tell(EventKind::Noticed, vm, message);
            }
        }
        true
    }

    /// Asks the guests of VMs that have a VF since the last time, whether they use it.
    pub(crate) fn ask_guests(&mut self, policy: &Policy, seen: &Seen) {
        let settings = policy.vms.iter().map(|(vm, _)| vm);
        for setting in settings.filter(|vm| vm.node == self.name) {
            let domain = seen.domain(&setting.uuid);
            let Some(domain) = domain.filter(|one| one.state.holds_devices()) else {
                self.remarks.guests.remove(&setting.uuid);
                continue;
            };
            let held = self.held_by(domain);
            let known = self.remarks.guests.get(&setting.uuid);
            if known.is_some_and(|(of, _)| *of == held) {
                continue;
            }
            let word = self.ask_guest(domain, &setting.mac.to_string());
            self.remarks
                .guests
                .insert(setting.uuid.clone(), (held, word));
        }
    }

    fn ask_guest(&self, domain: &Domain, mac: &str) -> Verified {
        let what = "guest has both vNIC and VF".to_owned();
        let command = r#"{"execute":"guest-network-get-interfaces"}"#;
        let answer = self.edge.vms().ask_guest(&domain.uuid, command, GUEST);
        let answer = match answer.wait() {
            Ok(answer) => answer,
            Err(error) => {
                return Verified {
                    check: what,
                    ok: None,
                    detail: error.to_string(),
                };
            }
        };
        match serde_json::from_str::<Answer>(&answer) {
            Ok(answer) => {
                let names: Vec<String> = answer
                    .interfaces
                    .into_iter()
                    .filter(|one| {
                        one.mac
                            .as_deref()
                            .is_some_and(|own| own.eq_ignore_ascii_case(mac))
                    })
                    .map(|one| one.name)
                    .collect();
                Verified {
                    check: what,
                    // In failover its vNIC alone has two of them.
                    ok: match names.len() {
                        0 | 1 => Some(false),
                        2 => None,
                        _ => Some(true),
                    },
                    detail: match names.as_slice() {
                        [] => format!("the guest has no interface with MAC {mac}"),
                        names => format!("with MAC {mac} it has {}", names.join(", ")),
                    },
                }
            }
            Err(error) => Verified {
                check: what,
                ok: None,
                detail: format!("the guest agent's answer was not understood: {error}"),
            },
        }
    }

    /// What the guest of a VM said of the VF that it has.
    pub(crate) fn guest_word(&self, domain: &Domain) -> Verified {
        match self.remarks.guests.get(&domain.uuid) {
            Some((of, word)) if *of == self.held_by(domain) => word.clone(),
            _ => Verified {
                check: "guest has both vNIC and VF".to_owned(),
                ok: None,
                detail: "not queried yet".to_owned(),
            },
        }
    }

    /// The host devices of a VM and whether its guest drives its VF, as what the guest says is kept by.
    fn held_by(&self, domain: &Domain) -> String {
        let mut held: Vec<String> = domain
            .host_devices
            .iter()
            .map(ToString::to_string)
            .collect();
        let watched = self.path_of(&domain.uuid);
        let driven = watched.and_then(|watched| watched.seen().vf.as_ref()?.bus_master.known());
        held.extend(driven.map(ToString::to_string));
        held.join(" ")
    }

    /// Asks the guest of a running VM what it is, for [`Core::guest_warning`].
    pub(crate) fn ask_what_it_is(&self, domain: &Domain) -> GuestAnswer {
        let command = r#"{"execute":"guest-get-osinfo"}"#;
        self.edge.vms().ask_guest(&domain.uuid, command, GUEST)
    }

    /// What is to be said of a guest that is not known to cope with a VF beside its vNIC.
    pub(crate) fn guest_warning(domain: &Domain, answer: Option<GuestAnswer>) -> Option<Problem> {
        #[derive(Deserialize)]
        struct Os {
            #[serde(rename = "return")]
            info: OsInfo,
        }
        #[derive(Deserialize, Default)]
        #[serde(default, rename_all = "kebab-case")]
        struct OsInfo {
            id: String,
            kernel_release: String,
            kernel_version: String,
        }
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
        match serde_json::from_str::<Os>(&answer) {
            Ok(Os { info }) => {
                let system = System::of_agent(&info.id, &info.kernel_release, &info.kernel_version);
                guest::warning(&domain.name, &system)
            }
            Err(_) => by_metadata("Its guest agent's answer was not understood.".to_owned()),
        }
    }
}
