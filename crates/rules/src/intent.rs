//! Intents: the roles of adapters.

use accelnet_model::adapter::{Adapter, Support};
use accelnet_model::intent::{Intent, Role};
use accelnet_model::vf_security::OnOff;
use accelnet_model::{Code, IntentName, Problem, VfSecurity};

use crate::nearest::absent;

/// Finds the intent called `name`.
pub fn find<'a>(name: &str, intents: &'a [Intent]) -> Result<&'a Intent, Problem> {
    intents
        .iter()
        .find(|intent| intent.name == name)
        .ok_or_else(|| {
            let names = intents.iter().map(|intent| intent.name.as_str());
            let found = absent(name, "The cluster has", ("intent", "intents"), names);
            Problem::new(Code::IntentNotFound, &[name], found)
        })
}

/// Checks that the intent carries VM traffic.
pub fn must_be_compute(intent: &Intent) -> Result<(), Problem> {
    if intent.roles.contains(&Role::Compute) {
        return Ok(());
    }
    let roles: Vec<String> = intent.roles.iter().map(Role::to_string).collect();
    let found = format!("Intent {} has the roles {}.", intent.name, roles.join(", "));
    Err(Problem::new(
        Code::IntentTypeCheckFailed,
        &[&intent.name],
        found,
    ))
}

/// Checks that the drivers of the adapters support the security settings, as far as they are known.
///
/// # Errors
///
/// The adapter and the setting that its driver refuses, with its words.
pub fn is_settable<'a>(
    security: VfSecurity,
    adapters: impl IntoIterator<Item = &'a Adapter>,
) -> Result<(), Problem> {
    let usual = VfSecurity::default();
    for adapter in adapters {
        let features = &adapter.features;
        for (setting, wanted, usual, support) in [
            ("trust", security.trust, usual.trust, &features.trust),
            (
                "spoof check",
                security.spoof_check,
                usual.spoof_check,
                &features.spoof_check,
            ),
        ] {
            if let (false, Some(Support::No { reason })) = (wanted == usual, support.known()) {
                let setting = format!("{setting} {}", OnOff(wanted));
                let found = "Its driver refuses it.";
                let subject: [&str; 2] = [&adapter.name(), &setting];
                return Err(
                    Problem::new(Code::VfSettingUnsupported, &subject, found).cause(reason.clone())
                );
            }
        }
    }
    Ok(())
}

/// What a name of an intent has to be.
const NAME_RULE: &str =
    "Use 1 to 32 letters, digits, '.', '-' and '_', of which the first is a letter or digit.";

/// The name of an intent that is to be declared.
///
/// # Errors
///
/// It is no name for an intent.
pub fn name(text: &str) -> Result<IntentName, Problem> {
    text.parse().map_err(|_| name_invalid(text))
}

/// `text` is no name of an intent.
pub fn name_invalid(text: &str) -> Problem {
    let found = format!("{text:?} is not a valid name of an intent.");
    Problem::new(Code::IntentInvalid, &[text], found).resolution(NAME_RULE)
}

/// Whether `intent` makes sense beside `others`: its name, its roles, its adapters.
///
/// # Errors
///
/// It cannot be declared at all, it is there already, or it would take what another has.
pub fn may_be_declared(intent: &Intent, others: &[Intent]) -> Result<(), Problem> {
    let wrong = |found: &str, resolution: &str| {
        let problem = Problem::new(Code::IntentInvalid, &[&intent.name], found);
        Err(problem.resolution(resolution))
    };
    if intent.roles.is_empty() {
        return wrong(
            "It has no role.",
            "Add --compute, --management or --storage.",
        );
    }
    if intent.adapters.is_empty() {
        return wrong("It has no adapter.", "Add --adapter NAME.");
    }
    if let Some(twice) = first_twice(&intent.adapters) {
        let found = format!("Adapter {twice} is given twice.");
        return wrong(&found, "Name each adapter once.");
    }
    if intent.security != VfSecurity::default() && !intent.is_compute() {
        return wrong(
            "Trust and spoof check are settings of VFs, and only compute intents have VFs.",
            "Omit --trust and --spoof-check, or add --compute.",
        );
    }
    if intent.vfs == Some(0) {
        return wrong(
            "It requests 0 VFs of each adapter.",
            "Request at least 1 VF, or omit --vfs for all VFs of each adapter.",
        );
    }
    for role in [Role::Management, Role::Storage] {
        let second = others
            .iter()
            .find(|other| other.name != intent.name && other.roles.contains(&role));
        if let (true, Some(other)) = (intent.roles.contains(&role), second) {
            return Err(Problem::new(
                Code::IntentRoleTaken,
                &[&role.to_string()],
                format!("Intent {} has it.", other.name),
            ));
        }
    }
    Ok(())
}

/// Checks that a requested number of VFs has a use.
///
/// # Errors
///
/// The intent has no VFs.
pub fn has_vfs(intent: &Intent, asked: Option<u32>) -> Result<(), Problem> {
    match asked {
        Some(1..) if !intent.is_compute() => {
            let found = "A number of VFs is given, and only compute intents have VFs.";
            let problem = Problem::new(Code::IntentInvalid, &[&intent.name], found);
            Err(problem.resolution("Omit --vfs, or add --compute."))
        }
        _ => Ok(()),
    }
}

/// Checks that no other intent has the adapter.
pub fn adapter_is_free(adapter: &str, other: Option<&str>) -> Result<(), Problem> {
    match other {
        None => Ok(()),
        Some(other) => Err(Problem::new(
            Code::IntentAdapterTaken,
            &[adapter],
            format!("Intent {other} has it."),
        )),
    }
}

/// Checks that the name is free, or that the same intent has it.
pub fn is_new(intent: &Intent, others: &[Intent]) -> Result<(), Problem> {
    match others.iter().find(|other| other.name == intent.name) {
        Some(other) if other != intent => Err(Problem::new(
            Code::IntentExists,
            &[&intent.name],
            format!(
                "It has the roles {} and the adapters {}.",
                roles(other),
                other.adapters.join(", ")
            ),
        )),
        _ => Ok(()),
    }
}

/// Checks that no user needs the intent.
pub fn is_unused(name: &str, users: &[String]) -> Result<(), Problem> {
    match users {
        [] => Ok(()),
        users => Err(Problem::new(
            Code::IntentInUse,
            &[name],
            format!("It is used by {}.", users.join(", ")),
        )),
    }
}

fn roles(intent: &Intent) -> String {
    let roles: Vec<String> = intent.roles.iter().map(Role::to_string).collect();
    roles.join(", ")
}

fn first_twice(names: &[String]) -> Option<&String> {
    names
        .iter()
        .enumerate()
        .find(|(place, name)| names.iter().take(*place).any(|other| other == *name))
        .map(|(_, name)| name)
}
