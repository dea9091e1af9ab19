//! VMs, asked and answered.

use accelnet_model::domain::DomainState;
use accelnet_model::vm_setting::Phase;
use accelnet_model::{
    LastReport, Mac, PciAddress, Performance, Problem, Uuid, VfChoice, VfSecurity,
};
use serde::{Deserialize, Serialize};

use super::PlannedStep;

/// Request to enable acceleration on VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VmEnable {
    /// Names, UUIDs or patterns (`web*`), at least one.
    pub names: Vec<String>,
    /// Performance setting.
    pub performance: Performance,
    /// Attach the vNIC of a running VM again if it cannot get its VF otherwise.
    #[serde(default)]
    pub now: bool,
    /// Add a vNIC on the intent's virtual switch to VMs that have none.
    #[serde(default)]
    pub add_nic: bool,
    /// MAC of the vNIC to accelerate; the default is the first vNIC on the intent's virtual switch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Mac>,
    /// Whether the guest can change the VF's MAC and receive frames to other MACs; unchanged, or the intent's
    /// setting, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<VfChoice>,
    /// Whether the adapter drops frames that the guest sends from another MAC; unchanged, or the intent's
    /// setting, by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<VfChoice>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Request to change the settings of accelerated VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VmSet {
    /// Names, UUIDs or patterns, at least one.
    pub names: Vec<String>,
    /// Performance setting; unchanged by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub performance: Option<Performance>,
    /// Whether the guest can change the VF's MAC and receive frames to other MACs; unchanged by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trust: Option<VfChoice>,
    /// Whether the adapter drops frames that the guest sends from another MAC; unchanged by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoof_check: Option<VfChoice>,
    /// Detach and attach the VF again if the setting requires it, also in running VMs.
    #[serde(default)]
    pub now: bool,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// Request to disable acceleration: VMs return to their software path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VmDisable {
    /// Names, UUIDs or patterns, at least one.
    pub names: Vec<String>,
    /// Show the steps, and change nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// One of the three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VmChange {
    /// Accelerate.
    Enable(VmEnable),
    /// Change.
    Set(VmSet),
    /// Disable acceleration.
    Disable(VmDisable),
}

/// The result of a change of VMs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VmChanged {
    /// Whether all of them succeeded.
    pub ok: bool,
    /// One result for each VM, in the order of the request, and one for each name that no VM has.
    pub results: Vec<VmResult>,
}

/// The result for one VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VmResult {
    /// The VM, or the requested name if it does not exist.
    pub name: String,
    /// The node of the VM; none if no node has such a VM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Whether it succeeded.
    pub ok: bool,
    /// Whether the VM already has the requested setting, so that nothing changes.
    #[serde(default)]
    pub unchanged: bool,
    /// The result, a sentence.
    pub message: String,
    /// Whether the change takes effect at the next start of the VM.
    pub waits_for_restart: bool,
    /// The VM after the change; none if it does not exist.
    pub vm: Option<VmView>,
    /// The error, if it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub problem: Option<Problem>,
    /// Warnings.
    #[serde(default)]
    pub warnings: Vec<Problem>,
    /// The steps that were run, or would be run.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
}

/// Path of a VM's traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Path {
    /// Over the VF.
    Vf,
    /// Over the software path.
    Software,
    /// The VM does not run.
    NotRunning,
    /// It is unknown.
    Unknown,
}

/// State of a VM's acceleration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It has no setting.
    NotAccelerated,
    /// It is being changed.
    Changing,
    /// It has its VF; a stopped VM gets it at its next start.
    Accelerated,
    /// Its definition is ready; the running VM gets its VF at its next start.
    WaitsForRestart,
    /// It has a setting and runs without its VF, or with other values.
    Degraded,
    /// It has a setting, and management is disabled: it is not monitored.
    Unmanaged,
    /// It no longer exists in libvirt.
    Gone,
}

/// The result of one check of a VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Verified {
    /// The check: "VF attached", "MAC", "carrier", "guest uses the VF".
    pub check: String,
    /// Whether it passed; none if it could not be run.
    pub ok: Option<bool>,
    /// The observed value, or why there is none; a fragment.
    pub detail: String,
}

/// A VM.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VmView {
    /// Name.
    pub name: String,
    /// UUID.
    pub uuid: Uuid,
    /// Node.
    pub node: String,
    /// State.
    pub state: DomainState,
    /// vCPUs.
    pub vcpus: u32,
    /// State of its acceleration.
    pub acceleration: State,
    /// Its setting.
    pub performance: Option<Performance>,
    /// Phase of its setting.
    pub phase: Option<Phase>,
    /// Path of its traffic.
    pub path: Path,
    /// Adapter of its VF.
    pub adapter: Option<String>,
    /// PCI address of its VF.
    pub vf: Option<PciAddress>,
    /// Its vNICs.
    pub vnics: Vec<VnicView>,
    /// Trust and spoof check of its VF; none without a setting.
    #[serde(default)]
    pub security: Option<VfSecurity>,
    /// How each setting of its vNIC is applied to its VF, or why it cannot be. Only of a VM with a performance
    /// setting.
    #[serde(default)]
    pub vnic_settings: Vec<String>,
    /// The checks of the VM, with their results.
    pub verified: Vec<Verified>,
    /// Conditions of the VM, a sentence each.
    #[serde(default)]
    pub conditions: Vec<String>,
    /// The other nodes of the cluster as targets of a live migration. Only for a VM with a setting on the
    /// node that answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destinations: Vec<Destination>,
    /// Set when the node of the VM does not report now: the VM is shown as in its last report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_report: Option<LastReport>,
}

/// Another node, as the target of a live migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Destination {
    /// The node.
    pub node: String,
    /// Whether the VM can migrate to it.
    pub can_migrate: bool,
    /// Path of its traffic there; none if it cannot migrate.
    pub path: Option<Path>,
    /// The reason, a fragment.
    pub reason: String,
}

/// A vNIC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VnicView {
    /// MAC.
    pub mac: Option<Mac>,
    /// Model: virtio, e1000e, or `VF`.
    pub model: String,
    /// Bridge, network or device that it is connected to.
    pub source: Option<String>,
    /// Whether it is on the enabled intent's virtual switch.
    pub on_intent_switch: bool,
    /// Role in an accelerated VM: the software path, or the VF.
    pub role: Option<String>,
}
