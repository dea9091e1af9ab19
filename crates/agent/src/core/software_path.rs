//! Whether VMs may be put on their software path: not while the host's firewall drops what the bridge
//! forwards.

use accelnet_host::firewall::bridge_filter;
use accelnet_model::{Observed, Problem};
use accelnet_rules::software_path::judge;

use super::Core;
use crate::policy::Policy;

impl Core {
    /// Judges the managed intent's bridge as it is now; a warning where it cannot be told.
    ///
    /// # Errors
    ///
    /// The firewall drops everything that it forwards.
    pub(crate) fn software_path(&self, policy: &Policy) -> Result<Option<Problem>, Problem> {
        match self.managed_bridge(policy) {
            Some(bridge) => self.forwards(&bridge),
            None => Ok(None),
        }
    }

    /// The same of any bridge, which need not be there yet.
    ///
    /// # Errors
    ///
    /// As [`Core::software_path`].
    pub(crate) fn forwards(&self, bridge: &str) -> Result<Option<Problem>, Problem> {
        let host = self.edge.host();
        let links = host.links.links();
        let Observed::Known(filter) = bridge_filter(&host, links.as_deref()) else {
            return Ok(None);
        };
        let forwarding = judge(&filter, bridge);
        forwarding.must_pass(&self.name, Some(bridge))?;
        Ok(forwarding.warning(&self.name, Some(bridge)))
    }

    /// The managed intent's bridge here.
    pub(crate) fn managed_bridge(&self, policy: &Policy) -> Option<String> {
        let intent = policy.managed_intent()?;
        self.status_of(&intent.name)?.bridge.clone()
    }
}
