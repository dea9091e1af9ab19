//! Intents: which adapters do what.

use accelnet_model::intent::{Intent, Role};
use accelnet_model::{Code, Problem};

/// The intent called `name`, which must be there.
pub fn find<'a>(name: &str, intents: &'a [Intent]) -> Result<&'a Intent, Problem> {
    intents
        .iter()
        .find(|intent| intent.name == name)
        .ok_or_else(|| {
            let names: Vec<&str> = intents.iter().map(|intent| intent.name.as_str()).collect();
            let found = match names.as_slice() {
                [] => "No intent has been declared on this node.".to_owned(),
                names => format!("The intents here are {}.", names.join(", ")),
            };
            Problem::new(Code::IntentNotFound, &[name], found)
        })
}

/// The intent must carry VM traffic.
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
