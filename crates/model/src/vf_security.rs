//! What a guest may do with its VF: trust and spoof check, of an intent and of a VM.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Trust and spoof check of VFs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VfSecurity {
    /// The guest may change the VF's MAC and receive what is sent to others.
    pub trust: bool,
    /// The adapter drops what the guest sends from another MAC or VLAN than the VF's.
    pub spoof_check: bool,
}

impl Default for VfSecurity {
    /// Trust off, spoof check on.
    fn default() -> Self {
        VfSecurity {
            trust: false,
            spoof_check: true,
        }
    }
}

/// The same of one VM; what it does not have is as its intent has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VfSecurityOfVm {
    /// Trust.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trust: Option<bool>,
    /// Spoof check.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<bool>,
}

impl VfSecurityOfVm {
    /// What comes to be on an intent.
    pub fn on(self, intent: VfSecurity) -> VfSecurity {
        VfSecurity {
            trust: self.trust.unwrap_or(intent.trust),
            spoof_check: self.spoof_check.unwrap_or(intent.spoof_check),
        }
    }

    /// With what was chosen, where something was.
    #[must_use]
    pub fn with(self, trust: Option<VfChoice>, spoof_check: Option<VfChoice>) -> Self {
        VfSecurityOfVm {
            trust: trust.map_or(self.trust, VfChoice::of_vm),
            spoof_check: spoof_check.map_or(self.spoof_check, VfChoice::of_vm),
        }
    }
}

/// The VF settings of one VM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum VfChoice {
    /// On.
    On,
    /// Off.
    Off,
    /// As its intent has it.
    Intent,
}

impl VfChoice {
    fn of_vm(self) -> Option<bool> {
        match self {
            VfChoice::On => Some(true),
            VfChoice::Off => Some(false),
            VfChoice::Intent => None,
        }
    }
}

/// "on" or "off".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnOff(pub bool);

impl fmt::Display for OnOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { "on" } else { "off" })
    }
}
