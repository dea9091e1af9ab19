//! The stored documents of the policy, and the conditions that their content must meet.

use accelnet_api::types::Drained;
use accelnet_model::intent::BoundAdapter;
use accelnet_model::{Intent, IntentName, Mac, Management, NodeName, Uuid, VmSetting};
use accelnet_rules::management::judge_performance_settings;
use accelnet_store::{Document, Entry, Stored, Unreadable, renamed};
use serde::{Deserialize, Serialize};

use super::keys::{DRAINED, INTENTS, MANAGEMENT, REMOVED, TURN, VMS};
use super::request::{Disruption, Request};
use crate::cluster::identity::{IDENTITY, Identity};
use crate::renamed::{BOUND, PERFORMANCE};
use crate::unread::{error, unknown_key};

/// Adapters of an intent, and bytes of the name of one.
const ADAPTERS: (usize, usize) = (64, 64);
/// Highest reserve, in percent.
const RESERVE: u8 = 99;

macro_rules! documents {
    ($($(#[doc = $doc:literal])+ $name:ident($inner:ty) = $kind:literal, $format:literal, $agrees:expr
        $(, $renamed:expr)?;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, Serialize, Deserialize)]
            #[serde(transparent)]
            pub(super) struct $name(pub(super) $inner);

            impl Document for $name {
                const KIND: &'static str = $kind;
                const FORMAT: u32 = $format;

                fn agrees(&self, key: &str) -> Result<(), String> {
                    let agrees: fn(&$inner, &str) -> Result<(), String> = $agrees;
                    agrees(&self.0, key)
                }

                $(
                    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
                        (format == 1).then(|| renamed(value, $renamed))
                    }
                )?
            }
        )+
    };
}

documents! {
    /// Cluster settings.
    ManagementDocument(Management) = "cluster settings", 2, management_agrees,
        PERFORMANCE;
    /// An intent.
    IntentDocument(Intent) = "an intent", 1, intent_agrees;
    /// A removed intent: its nodes remove its VFs, bridge and networks.
    RemovedDocument(IntentName) = "an intent that was removed", 1, |name, key| same(key, REMOVED, name);
    /// The setting of a VM.
    VmDocument(VmSetting) = "the setting of a VM", 1, vm_agrees;
    /// The adapters of an intent on a node.
    BoundDocument(Vec<BoundAdapter>) = "the adapters of an intent", 2,
        |bound, key| bound_agrees(bound, key), BOUND;
    /// A drained node.
    DrainedDocument(Drained) = "a node that is drained", 1, |_, key| named::<NodeName>(key, DRAINED);
    /// A change of the number of VFs that may detach VFs from VMs.
    DisruptionDocument(Disruption) = "a disruptive change", 1, |_, key| own_agrees(key);
}

/// Reads an entry; an unreadable one is added to `unreadable`.
pub(super) fn read<T: Document>(entry: &Entry, unreadable: &mut Vec<Unreadable>) -> Option<T> {
    match Stored::read_or_why(entry) {
        Ok(stored) => Some(stored.value),
        Err(why) => {
            unreadable.push(why);
            None
        }
    }
}

/// Whether the key below `prefix` matches the content.
fn same(key: &str, prefix: &str, content: &str) -> Result<(), String> {
    match key.strip_prefix(prefix) {
        Some(rest) if rest == content => Ok(()),
        _ => Err(format!("its content is about {content:?}")),
    }
}

/// Whether the key below `prefix` is a valid name.
fn named<T: std::str::FromStr<Err: std::fmt::Display>>(
    key: &str,
    prefix: &str,
) -> Result<(), String> {
    let rest = key.strip_prefix(prefix).unwrap_or(key);
    rest.parse::<T>()
        .map(drop)
        .map_err(|error| error.to_string())
}

/// Whether a key of a node's own values has the node's name, and an intent at its end.
fn own_agrees(key: &str) -> Result<(), String> {
    let mut parts = key.splitn(4, '/').skip(1);
    named::<NodeName>(parts.next().unwrap_or_default(), "")?;
    named::<IntentName>(parts.nth(1).unwrap_or_default(), "")
}

fn management_agrees(management: &Management, _: &str) -> Result<(), String> {
    if management.node_reserve_percentage > RESERVE {
        let found = management.node_reserve_percentage;
        return Err(format!("a reserve of {found} % is above {RESERVE} %"));
    }
    if let Some(intent) = &management.intent {
        named::<IntentName>(intent, "")?;
    }
    judge_performance_settings(&management.performance).map_err(|problem| problem.found)
}

fn intent_agrees(intent: &Intent, key: &str) -> Result<(), String> {
    same(key, INTENTS, &intent.name)?;
    let mut roles = intent.roles.clone();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() || roles.len() != intent.roles.len() {
        return Err("it has no role, or one twice".to_owned());
    }
    let fits = |adapter: &String| {
        (1..=ADAPTERS.1).contains(&adapter.len())
            && !adapter.contains(|c: char| c == '/' || c.is_control() || c.is_whitespace())
    };
    if !(1..=ADAPTERS.0).contains(&intent.adapters.len()) || !intent.adapters.iter().all(fits) {
        return Err(format!(
            "its adapters are not 1 to {} names of 1 to {} bytes",
            ADAPTERS.0, ADAPTERS.1
        ));
    }
    match intent.vfs {
        Some(vfs) if !(1..=u32::from(u16::MAX)).contains(&vfs) => Err(format!("{vfs} VFs")),
        _ => Ok(()),
    }
}

fn vm_agrees(vm: &VmSetting, key: &str) -> Result<(), String> {
    same(key, VMS, &vm.uuid)?;
    if vm.mac.is_multicast() || vm.mac == Mac::ZERO {
        return Err(format!("{} is no MAC of a VM", vm.mac));
    }
    Ok(())
}

fn bound_agrees(bound: &[BoundAdapter], key: &str) -> Result<(), String> {
    if bound.len() > ADAPTERS.0 {
        return Err(format!("it has {} adapters", bound.len()));
    }
    own_agrees(key)
}

/// The UUID in the key of a VM's setting.
pub(super) fn uuid_of(key: &str) -> Option<Uuid> {
    key.strip_prefix(VMS)?.parse().ok()
}

/// Why a value of the policy, or one that a node writes for itself, cannot be read; none if it can.
pub(crate) fn judge(entry: &Entry) -> Option<Unreadable> {
    let key = entry.key.as_str();
    let own = key.strip_prefix("nodes/");
    let own = own.and_then(|rest| Some(rest.split_once('/')?.1));
    match (key, own) {
        (TURN, _) => None,
        (IDENTITY, _) => error::<Identity>(entry),
        (MANAGEMENT, _) => error::<ManagementDocument>(entry),
        (_, Some("request")) => error::<Request>(entry),
        (_, Some(own)) if own.starts_with("bound/") => error::<BoundDocument>(entry),
        (_, Some(own)) if own.starts_with("disruption/") => error::<DisruptionDocument>(entry),
        _ if key.starts_with(INTENTS) => error::<IntentDocument>(entry),
        _ if key.starts_with(VMS) => error::<VmDocument>(entry),
        _ if key.starts_with(DRAINED) => error::<DrainedDocument>(entry),
        _ if key.starts_with(REMOVED) => error::<RemovedDocument>(entry),
        _ => Some(unknown_key(entry)),
    }
}
