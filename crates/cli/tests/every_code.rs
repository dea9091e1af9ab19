//! Every code of the catalogue can be reached, and is explained.
//!
//! What a command can raise today is raised by that command on a simulated node; what waits
//! for the commands of VMs and clusters is raised by the rule that they will ask.

#[path = "every_code/agent.rs"]
mod agent;
#[path = "every_code/capacity.rs"]
mod capacity;
#[path = "every_code/changes.rs"]
mod changes;
#[path = "every_code/checks.rs"]
mod checks;
#[path = "every_code/cluster.rs"]
mod cluster;
#[path = "support/far.rs"]
mod far;
#[path = "../../agent/tests/node/fixture.rs"]
#[expect(dead_code, reason = "the agent's own tests need all of it")]
mod fixture;
#[path = "every_code/managed.rs"]
mod managed;
#[path = "every_code/remote.rs"]
mod remote;
#[path = "every_code/rules.rs"]
mod rules;
#[path = "support/agent.rs"]
mod served;
mod support;

use accelnet_model::Code;
use accelnet_model::catalogue;
use accelnet_model::intent::Role;
use support::{Booted, node, types};

/// The codes that the scenario of `code` comes to. A new code does not compile before it
/// has one.
fn raised(code: Code) -> Vec<Code> {
    match code {
        Code::AccelNetNotSupported | Code::IommuOff => checks::without_an_iommu(),
        Code::HyperthreadingCheckFailed => rules::nodes_that_differ_in_smt(),
        Code::IntentNotFound => checks::an_intent_that_is_not_there(),
        Code::IntentTypeCheckFailed => rules::an_intent_for_storage(),
        Code::SriovUnknown => checks::an_adapter_without_sriov(),
        Code::SriovMissingAcs => checks::a_port_without_acs(),
        Code::SriovMissingPfDriver => checks::no_driver_bound(),
        Code::SriovNoBusResources => checks::vfs_past_the_last_bus(),
        Code::GetNetworkAdapterFailed => rules::a_vm_without_vnics(),
        Code::MinProcessorCounter => rules::a_new_vm_with_too_few_vcpus(),
        Code::CannotProvisionPerformance => rules::a_vf_with_too_few_queue_pairs(),
        Code::EnableAccelNetFailed => rules::a_node_that_did_not_apply(),
        Code::VmNotEnoughVcpus => rules::a_vm_with_too_few_vcpus(),
        Code::ClusterNotEnoughResources => rules::no_vf_left(),
        Code::KernelTooOld => checks::an_old_kernel(),
        Code::KernelLockdown => checks::a_locked_down_kernel(),
        Code::KvmUnusable => checks::no_kvm(),
        Code::VfioMissing => checks::no_vfio(),
        Code::LibvirtMissing => checks::no_libvirt(),
        Code::LibvirtTooOld | Code::QemuTooOld => checks::an_old_libvirt_and_qemu(),
        Code::LibvirtFaulty => checks::a_libvirt_that_crashes(),
        Code::QemuMissing => checks::no_qemu(),
        Code::SoftwarePathDropped => checks::a_firewall_that_drops(""),
        Code::SoftwarePathUnclear => {
            checks::a_firewall_that_drops("-A FORWARD -s 192.0.2.0/24 -j ACCEPT")
        }
        Code::NotReadable => checks::a_total_that_cannot_be_read(),
        Code::IommuGroupShared => checks::vfs_in_one_group(),
        Code::VfMemoryNotAssigned => checks::vf_bars_without_an_address(),
        Code::FirmwareCapsVfs => checks::a_total_of_zero(),
        Code::AdapterModelUnknown => checks::a_model_off_record(),
        Code::AdapterDown => checks::an_adapter_that_is_down(),
        Code::AdapterNotEthernet => checks::an_adapter_in_infiniband_mode(),
        Code::AdapterIsVf => checks::a_vf_in_a_guest(),
        Code::IommuGroupsForced => checks::groups_that_a_parameter_forces(),
        Code::VfsOutOfReach => checks::vfs_of_which_some_lie_past_the_last_bus(),
        Code::DriverRefuses => changes::a_driver_that_refuses(),
        Code::AdapterNotFound => changes::a_name_that_nobody_has(),
        Code::AdapterAmbiguous => changes::a_mac_that_two_have(),
        Code::PermissionDenied => changes::an_ordinary_user(),
        Code::VfInUse => changes::a_vf_that_is_up(),
        Code::VfUseUnknown => changes::a_process_that_cannot_be_looked_into(),
        Code::VfCountTooHigh => changes::more_than_there_are(),
        Code::VfCountBusy => changes::a_busy_kernel(),
        Code::VfNoRoom => changes::no_room(),
        Code::VfFewerThanAsked => changes::fewer_than_asked(),
        Code::VfCountTimedOut => changes::a_write_that_hangs(),
        Code::VfNotReady => changes::a_vf_with_a_host_driver(),
        Code::AdapterLost => changes::an_adapter_that_vanishes(),
        Code::ChangeInProgress => changes::two_at_once(),
        Code::CodeNotFound => changes::an_id_that_is_no_code(),
        Code::NameTaken => changes::a_file_with_the_name_of_a_cmdlet(),
        Code::FileFailed => changes::a_folder_that_is_a_file(),
        Code::AgentUnreachable => agent::no_agent(),
        Code::AgentBusy => agent::more_connections_than_it_takes(),
        Code::BadRequest => agent::a_field_that_is_not_known(),
        Code::NotAllowed => agent::an_onlooker_who_changes(),
        Code::NodeReserveInvalid => agent::a_reserve_of_100(),
        Code::PerformanceInvalid => agent::a_setting_that_is_none(),
        Code::PerformanceSettingsInvalid => agent::a_setting_with_0_queue_pairs(),
        Code::VmNotFound => agent::a_vm_that_is_not_there(),
        Code::ManagementDisabled => agent::a_vm_while_management_is_off(),
        Code::IntentInvalid => managed::an_intent_without_a_name(),
        Code::IntentExists => managed::two_intents("One", &[Role::Compute], "ens2"),
        Code::IntentAdapterTaken => managed::two_intents("Two", &[Role::Compute], "ens1"),
        Code::IntentRoleTaken => managed::two_intents("Two", &[Role::Storage], "ens2"),
        Code::IntentInUse => managed::an_intent_that_management_is_on(),
        Code::IntentNotApplied => managed::an_intent_that_failed(),
        Code::UplinkUnfit => managed::an_uplink_of_another_user(),
        Code::GatewayLost => managed::a_gateway_that_falls_silent(),
        Code::AddressExpires => managed::a_lease_that_nothing_renews(),
        Code::VmNotAccelerated => managed::a_vm_without_a_setting(),
        Code::VmNotOnSwitch => managed::a_vm_on_another_network(),
        Code::MacDuplicate => managed::two_vms_with_one_mac(),
        Code::VmUnfit => managed::a_saved_vm(true, 0),
        Code::VnicNotFound => managed::a_vnic_that_is_not_there(),
        Code::VfSettingUnsupported => managed::a_driver_without_trust(),
        Code::VmCosts => managed::a_saved_vm(false, 2),
        Code::GuestUnknown | Code::NextStart => managed::a_running_vm(),
        Code::LibvirtFailed => managed::a_libvirt_that_refuses(),
        Code::StoreFailed => managed::a_store_that_cannot_be_read(),
        Code::NotVerified => managed::a_vf_that_is_gone_at_once(),
        Code::VmOnSoftwarePath => managed::a_vf_that_does_not_come_back(),
        Code::VfNotUsed => managed::a_guest_without_a_driver_for_its_vf(),
        Code::HookBlocked => checks::a_hook_that_selinux_confines(),
        Code::HookSilent => managed::a_hook_that_did_not_run(),
        Code::MemoryShort => managed::a_node_without_memory_to_spare(),
        Code::ReserveNotMet => capacity::a_promise_that_does_not_hold(),
        Code::CapacityFileInvalid => capacity::a_file_without_nodes(),
        Code::FilterIncomplete => managed::a_filter_that_is_full(),
        Code::VmStateUnknown => managed::a_libvirt_that_is_away(),
        Code::ServerUntrusted => remote::an_agent_of_another_ca(),
        Code::CertificateRefused => remote::a_client_of_another_ca(),
        Code::CertificateUnusable => remote::a_profile_without_its_files(),
        Code::ServerSettingsInvalid => remote::a_profile_that_is_not_there(),
        Code::PoolForgot => managed::a_pool_that_was_restarted(),
        Code::NodeCutOff => cluster::an_etcd_that_is_away(),
        Code::StoreValueUnreadable => cluster::management_that_cannot_be_read(),
        Code::StoreForeign => cluster::an_intent_that_the_store_lost(),
        Code::NodeNameTaken => cluster::a_name_that_another_agent_has(),
        Code::RequestNotTaken => cluster::a_node_without_time_for_an_order(),
        Code::RequestUnanswered => cluster::a_node_that_went_down_with_an_order(),
        Code::NodeDown => cluster::a_member_that_never_came(),
        Code::NodeDrained => cluster::a_vm_on_a_drained_node(),
        Code::NodeNotFound => cluster::a_node_that_is_not_there(),
        Code::VmAmbiguous => cluster::a_name_on_two_nodes(),
        Code::EtcdUnreachable => cluster::a_cluster_on_an_etcd_that_is_away(),
        Code::NotAMember => cluster::a_machine_on_its_own_that_leaves(),
        Code::SetupFailed => cluster::a_program_that_others_can_replace(),
        Code::ClusterRefused => cluster::a_cluster_that_is_there_already(),
        Code::AdaptersDiffer => cluster::nodes_with_other_adapters(),
        Code::OfLaterRelease => cluster::what_a_later_release_reports(),
    }
}

/// The codes that `command` shows on `node`, read from its JSON.
fn shown(node: &Booted, command: &str) -> Vec<Code> {
    let shown = types(node, &format!("{command} --output json"));
    let answer: serde_json::Value = serde_json::from_str(&shown.out).expect("JSON");
    let mut found = Vec::new();
    let rows = answer["checks"].as_array();
    let problems = rows.into_iter().flatten().chain([&answer["error"]]);
    for problem in problems {
        if let Some(code) = problem["code"].as_str() {
            found.push(code.parse().expect("a code"));
        }
    }
    found
}

#[test]
fn every_code_can_be_reached() {
    for code in Code::ALL {
        let raised = raised(*code);
        assert!(
            raised.contains(code),
            "{code} was not raised, but {raised:?}"
        );
    }
}

#[test]
fn a_sound_node_raises_none() {
    let node = node(|igb| igb.vfs(7).sriov(|sriov| sriov.drivers_autoprobe = false));
    assert_eq!(shown(&node, "accelnet prereq"), []);
    assert_eq!(types(&node, "accelnet prereq").status, 0);
}

#[test]
fn every_code_is_explained_with_all_its_fields() {
    let node = node(|igb| igb);
    for entry in catalogue::all() {
        let shown = types(&node, &format!("accelnet explain {}", entry.code));
        let exit = entry.exit_status.to_string();
        let http = entry.http_status.to_string();
        let fields = [
            entry.code.id(),
            &entry.named(entry.sentence),
            entry.found,
            entry.needed,
            &entry.named(entry.resolution),
            &exit,
            &http,
        ];
        for field in fields {
            assert!(shown.out.contains(field), "{}: {field:?}", entry.code);
        }
        assert_eq!(
            (shown.status, shown.err.as_str()),
            (0, ""),
            "{}",
            entry.code
        );
    }
}

#[test]
fn codes_are_listed_and_found_in_any_case() {
    let node = node(|igb| igb);
    let list = types(&node, "accelnet explain --output name");
    let ids: Vec<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    assert_eq!(list.out.lines().collect::<Vec<_>>(), ids);
    let shown = types(&node, "accelnet explain SRIOV_SUPPORT_MISSINGACS");
    assert!(shown.out.starts_with("Sriov_support_MissingAcs\n"));
    let near = types(&node, "accelnet explain missingacs");
    assert!(
        near.err
            .contains("the nearest name is Sriov_support_MissingAcs"),
        "{}",
        near.err
    );
    assert_eq!(near.status, 63);
}
