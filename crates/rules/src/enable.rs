//! Enabling a cluster: when it counts as done.

use accelnet_model::{Code, Problem};

/// Enabling is complete when every node applied it; `outcomes` has, for each node, what
/// it answered.
pub fn complete(cluster: &str, outcomes: &[(&str, Result<(), String>)]) -> Result<(), Problem> {
    let failures: Vec<String> = outcomes
        .iter()
        .filter_map(|(node, outcome)| {
            let words = outcome.as_ref().err()?;
            Some(format!("{node}: {words}"))
        })
        .collect();
    match failures.as_slice() {
        [] => Ok(()),
        failures => Err(Problem::new(
            Code::EnableAccelNetFailed,
            &[cluster],
            failures.join("; "),
        )),
    }
}
