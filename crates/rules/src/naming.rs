//! Adapters by name.

use accelnet_model::adapter::Identity;
use accelnet_model::{Code, PciAddress, Problem};

use crate::nearest::absent;

/// Finds the one adapter with `name`.
///
/// # Errors
///
/// None is called that, or several are.
pub fn find(name: &str, adapters: &[Identity]) -> Result<PciAddress, Problem> {
    let matching: Vec<PciAddress> = adapters
        .iter()
        .filter(|adapter| adapter.answers_to(name))
        .map(|adapter| adapter.address)
        .collect();
    match matching.as_slice() {
        [only] => Ok(*only),
        [] => {
            let names: Vec<String> = adapters.iter().map(Identity::name).collect();
            let names = names.iter().map(String::as_str);
            let found = absent(name, "The node has", ("adapter", "adapters"), names);
            Err(Problem::new(Code::AdapterNotFound, &[name], found))
        }
        several => {
            let addresses: Vec<String> = several.iter().map(PciAddress::to_string).collect();
            let found = format!("{} answer to it.", addresses.join(" and "));
            Err(Problem::new(Code::AdapterAmbiguous, &[name], found))
        }
    }
}
