//! The codes: every thing that can be wrong, by id.
//!
//! The texts of each one are in [`crate::catalogue`]. Ids and exit statuses never change
//! once released; a code that is no longer raised keeps its place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::catalogue::{self, Entry};

macro_rules! codes {
    ($($(#[$meta:meta])+ $variant:ident = $id:literal,)+) => {
        /// One thing that can be wrong. Serialised as its id; one that only a later release knows is
        /// read as [`Code::OfLaterRelease`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Code {
            $($(#[$meta])+ #[serde(rename = $id)] $variant,)+
        }

        impl Code {
            /// All codes, in the order of the catalogue.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The id, as it is shown and searched for.
            pub fn id(self) -> &'static str {
                match self {
                    $(Code::$variant => $id,)+
                }
            }
        }
    };
}

codes! {
    /// The node cannot carry accelerated VMs.
    AccelNetNotSupported = "Accel_net_not_supported",
    /// SMT differs among the nodes.
    HyperthreadingCheckFailed = "Hyperthreading_check_failed",
    /// No intent has that name.
    IntentNotFound = "Intent_not_found",
    /// The intent has no compute role.
    IntentTypeCheckFailed = "Intent_type_check_failed",
    /// The adapter has no SR-IOV capability.
    SriovUnknown = "Sriov_support_Unknown",
    /// A bridge above the adapter lacks ACS.
    SriovMissingAcs = "Sriov_support_MissingAcs",
    /// No driver, or one without SR-IOV.
    SriovMissingPfDriver = "Sriov_support_MissingPfDriver",
    /// VFs would lie past the last bus number.
    SriovNoBusResources = "Sriov_support_NoBusResources",
    /// A VM's vNICs cannot be had.
    GetNetworkAdapterFailed = "Get_network_adapter_failed",
    /// A setting's minimum of vCPUs, by SMT.
    MinProcessorCounter = "ht_enabled_min_processor_counter",
    /// A setting that an adapter cannot give.
    CannotProvisionPerformance = "cannot_provision_performance",
    /// Enabling the cluster failed.
    EnableAccelNetFailed = "enable_accel_net_failed",
    /// The VM has too few vCPUs.
    VmNotEnoughVcpus = "vm_not_enough_vcpus",
    /// No VF or queue pairs are left for the VM.
    ClusterNotEnoughResources = "cluster_not_enough_resources",

    /// The kernel is too old.
    KernelTooOld = "kernel_too_old",
    /// The kernel is locked down.
    KernelLockdown = "kernel_lockdown",
    /// KVM does not work.
    KvmUnusable = "kvm_unusable",
    /// No IOMMU is on.
    IommuOff = "iommu_off",
    /// vfio-pci is not there.
    VfioMissing = "vfio_missing",
    /// libvirt is not there.
    LibvirtMissing = "libvirt_missing",
    /// libvirt is too old.
    LibvirtTooOld = "libvirt_too_old",
    /// libvirt crashes when a VF is attached.
    LibvirtFaulty = "libvirt_faulty",
    /// QEMU is not there.
    QemuMissing = "qemu_missing",
    /// QEMU is too old.
    QemuTooOld = "qemu_too_old",
    /// The firewall drops what a bridge forwards.
    SoftwarePathDropped = "software_path_dropped",
    /// Whether the firewall lets a bridge forward cannot be determined.
    SoftwarePathUnclear = "software_path_unclear",
    /// Something a check needs could not be read.
    NotReadable = "not_readable",

    /// VFs share an IOMMU group.
    IommuGroupShared = "iommu_group_shared",
    /// VF memory space was not assigned.
    VfMemoryNotAssigned = "vf_memory_not_assigned",
    /// Firmware allows no VFs.
    FirmwareCapsVfs = "firmware_caps_vfs",
    /// A driver refuses VFs.
    DriverRefuses = "driver_refuses",
    /// A model that accelnet has no record of.
    AdapterModelUnknown = "adapter_model_unknown",
    /// The adapter is down.
    AdapterDown = "adapter_down",
    /// The adapter does not carry Ethernet.
    AdapterNotEthernet = "adapter_not_ethernet",
    /// The adapter is itself a VF.
    AdapterIsVf = "adapter_is_vf",
    /// IOMMU groups are forced by a kernel parameter.
    IommuGroupsForced = "iommu_groups_forced",
    /// Some VFs lie beyond the last bus number.
    VfsOutOfReach = "vfs_out_of_reach",

    /// No adapter has that name.
    AdapterNotFound = "adapter_not_found",
    /// Several adapters have that name.
    AdapterAmbiguous = "adapter_ambiguous",
    /// The caller may not do that.
    PermissionDenied = "permission_denied",
    /// A VF is in use.
    VfInUse = "vf_in_use",
    /// Whether a VF is in use cannot be determined.
    VfUseUnknown = "vf_use_unknown",
    /// More VFs asked than the adapter has.
    VfCountTooHigh = "vf_count_too_high",
    /// The kernel is busy with the adapter.
    VfCountBusy = "vf_count_busy",
    /// No room for that many VFs.
    VfNoRoom = "vf_no_room",
    /// Fewer VFs than asked.
    VfFewerThanAsked = "vf_fewer_than_asked",
    /// The kernel does not come back.
    VfCountTimedOut = "vf_count_timed_out",
    /// VFs not ready by the deadline.
    VfNotReady = "vf_not_ready",
    /// The adapter or its driver went away.
    AdapterLost = "adapter_lost",
    /// Another change is under way.
    ChangeInProgress = "change_in_progress",
    /// No code has that id.
    CodeNotFound = "code_not_found",
    /// A name in a folder that something else has.
    NameTaken = "name_taken",
    /// A file that cannot be written.
    FileFailed = "file_failed",

    /// The agent of this node cannot be reached.
    AgentUnreachable = "agent_unreachable",
    /// A request that cannot be read.
    BadRequest = "bad_request",
    /// The caller may read and not change.
    NotAllowed = "not_allowed",
    /// A node reserve out of range.
    NodeReserveInvalid = "node_reserve_invalid",
    /// No such performance setting.
    PerformanceInvalid = "performance_invalid",
    /// Figures that make no sense.
    PerformanceSettingsInvalid = "performance_settings_invalid",
    /// Management is not enabled.
    ManagementDisabled = "management_disabled",
    /// An intent that makes no sense.
    IntentInvalid = "intent_invalid",
    /// An intent of that name is there.
    IntentExists = "intent_exists",
    /// An adapter of another intent.
    IntentAdapterTaken = "intent_adapter_taken",
    /// A second management or storage intent.
    IntentRoleTaken = "intent_role_taken",
    /// An intent that something depends on.
    IntentInUse = "intent_in_use",
    /// An intent that is not completed.
    IntentNotApplied = "intent_not_applied",
    /// An adapter that cannot carry a virtual switch.
    UplinkUnfit = "uplink_unfit",
    /// The node was cut off, and everything was put back.
    GatewayLost = "gateway_lost",
    /// No such VM.
    VmNotFound = "vm_not_found",
    /// A VM without a setting.
    VmNotAccelerated = "vm_not_accelerated",
    /// No vNIC on the intent's virtual switch.
    VmNotOnSwitch = "vm_not_on_switch",
    /// A MAC that is there twice.
    MacDuplicate = "mac_duplicate",
    /// A VM whose other settings do not go with a VF.
    VmUnfit = "vm_unfit",
    /// A vNIC that a VM does not have, or that cannot be accelerated.
    VnicNotFound = "vnic_not_found",
    /// A setting of VFs that a driver does not take.
    VfSettingUnsupported = "vf_setting_unsupported",
    /// Something that a VM loses with a VF.
    VmCosts = "vm_costs",
    /// A guest of which nothing is known.
    GuestUnknown = "guest_unknown",
    /// A change that waits for the VM's next start.
    NextStart = "next_start",
    /// libvirt did not do what it was asked.
    LibvirtFailed = "libvirt_failed",
    /// The store cannot be used.
    StoreFailed = "store_failed",
    /// A change that was not seen to work.
    NotVerified = "not_verified",
    /// A filter without an address that it needs.
    FilterIncomplete = "filter_incomplete",
    /// An accelerated VM without its VF.
    VmOnSoftwarePath = "vm_on_software_path",
    /// A VF that its VM's guest is not seen to use.
    VfNotUsed = "vf_not_used",
    /// libvirt does not list its VMs.
    VmStateUnknown = "vm_state_unknown",
    /// More requests than an agent takes on.
    AgentBusy = "agent_busy",
    /// The certificate that an agent shows is not trusted.
    ServerUntrusted = "server_untrusted",
    /// An agent does not take the certificate that a client shows.
    CertificateRefused = "certificate_refused",
    /// A certificate, a key or a CA in a file cannot be used.
    CertificateUnusable = "certificate_unusable",
    /// What is set for a server on another machine makes no sense.
    ServerSettingsInvalid = "server_settings_invalid",
    /// A pool that was restarted while VMs had its VFs.
    PoolForgot = "pool_forgot",
    /// An address of a bridge that nothing renews.
    AddressExpires = "address_expires",
    /// libvirt's hook may not run.
    HookBlocked = "hook_blocked",
    /// libvirt's hook did not run for a VF.
    HookSilent = "hook_silent",
    /// Locked memory leaves a node too little.
    MemoryShort = "memory_short",
    /// The promise of the node reserve does not hold.
    ReserveNotMet = "reserve_not_met",
    /// A file of a cluster that makes no sense.
    CapacityFileInvalid = "capacity_file_invalid",
    /// The node does not reach the store of its cluster.
    NodeCutOff = "node_cut_off",
    /// A node that sends no heartbeats.
    NodeDown = "node_down",
    /// A node that has no VFs for VMs now.
    NodeDrained = "node_drained",
    /// No such node.
    NodeNotFound = "node_not_found",
    /// A name that VMs on several nodes have.
    VmAmbiguous = "vm_ambiguous",
    /// An order that a node did not take.
    RequestNotTaken = "request_not_taken",
    /// An order that a node took and did not answer.
    RequestUnanswered = "request_unanswered",
    /// A store that does not fit what is to be done with it.
    ClusterRefused = "cluster_refused",
    /// An etcd that a command needs and that does not answer.
    EtcdUnreachable = "etcd_unreachable",
    /// A node that belongs to no cluster.
    NotAMember = "not_a_member",
    /// A step of making a node ready for its agent.
    SetupFailed = "setup_failed",
    /// A value of the store that cannot be read.
    StoreValueUnreadable = "store_value_unreadable",
    /// A store that is not the one of this cluster, or an older state of it.
    StoreForeign = "store_foreign",
    /// A node whose name another live agent has.
    NodeNameTaken = "node_name_taken",
    /// Adapters of an intent that are not alike.
    AdaptersDiffer = "adapters_differ",
    /// A code that this release does not know.
    #[serde(other)]
    OfLaterRelease = "of_later_release",
}

impl Code {
    /// Its entry in the catalogue.
    pub fn entry(self) -> &'static Entry {
        catalogue::entry(self)
    }

    /// Whether the document that accelnet is based on has the code, with its sentence.
    pub fn is_of_document(self) -> bool {
        catalogue::is_of_document(self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// No code has this id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no code is called {0:?}")]
pub struct NotACode(pub String);

impl FromStr for Code {
    type Err = NotACode;

    /// Reads an id, in any case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Code::ALL
            .iter()
            .copied()
            .find(|code| code.id().eq_ignore_ascii_case(text))
            .ok_or_else(|| NotACode(text.to_owned()))
    }
}
