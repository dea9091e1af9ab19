//! The setting of one VM: what an administrator gave it, and how far that is.

use serde::{Deserialize, Serialize};

use crate::performance::Performance;
use crate::{Mac, NodeName, Uuid, VfSecurityOfVm, VmName};

/// What an administrator gave a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VmSetting {
    /// The VM's UUID, the same wherever it runs.
    pub uuid: Uuid,
    /// Its name when it was last seen.
    pub name: VmName,
    /// The node whose libvirt has it.
    pub node: NodeName,
    /// What it gets.
    pub performance: Performance,
    /// MAC of the vNIC that is accelerated, and of the VF.
    pub mac: Mac,
    /// The state.
    pub phase: Phase,
    /// Whether accelnet added that vNIC, and takes it away again.
    #[serde(default)]
    pub nic_added: bool,
    /// Whether the definition of that vNIC had the failover feature before, and keeps it.
    #[serde(default)]
    pub nic_teamed: bool,
    /// What it had before the change that is under way; none when it had nothing.
    #[serde(default)]
    pub before: Option<Performance>,
    /// What its guest may do with its VF, where it differs from the intent.
    #[serde(default)]
    pub security: VfSecurityOfVm,
    /// The same before the change that is under way; none when it is not changed.
    #[serde(default)]
    pub security_before: Option<VfSecurityOfVm>,
}

/// The phase of a VM's setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Decided and not yet done: it is gone on with after an interruption.
    Enabling,
    /// Done, and seen to be so.
    Enabled,
    /// To be taken away: it is gone on with after an interruption.
    Disabling,
}
