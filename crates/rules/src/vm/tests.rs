use accelnet_model::domain::{DomainSettings, DomainState, Vnic};

use super::*;

fn vm(vcpus: u32) -> Domain {
    Domain {
        name: "web1".to_owned(),
        uuid: "2f6a5b1c-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        state: DomainState::ShutOff,
        persistent: true,
        vcpus,
        memory_mib: 1024,
        vnics: Vec::new(),
        host_devices: Vec::new(),
        settings: DomainSettings::default(),
    }
}

fn free(free_vfs: u32, free_queue_pairs: u32, most_queue_pairs: u32) -> FreeCapacity {
    FreeCapacity {
        free_vfs,
        free_queue_pairs,
        most_queue_pairs,
    }
}

#[test]
fn the_table_of_vcpus_has_six_cells() {
    let table = [
        (Performance::Low, false, 2),
        (Performance::Low, true, 4),
        (Performance::Medium, false, 2),
        (Performance::Medium, true, 4),
        (Performance::High, false, 4),
        (Performance::High, true, 4),
    ];
    for (setting, smt, minimum) in table {
        assert_eq!(
            minimum_vcpus(minimum, setting, smt),
            Ok(()),
            "{setting} {smt}"
        );
        let problem = minimum_vcpus(minimum - 1, setting, smt).expect_err("one too few");
        let state = if smt { "enabled" } else { "disabled" };
        assert_eq!(problem.code, Code::MinProcessorCounter);
        assert_eq!(
            problem.message,
            format!(
                "The minimum required processor count for requested performance with \
                 hyperthreading {state} is {minimum}."
            )
        );
        assert_eq!(enough_vcpus(&vm(minimum), setting, smt), Ok(()));
        let problem = enough_vcpus(&vm(minimum - 1), setting, smt).expect_err("one too few");
        assert_eq!(problem.code, Code::VmNotEnoughVcpus);
        assert!(
            problem.needed.ends_with(&format!("is {minimum}.")),
            "{problem:?}"
        );
    }
}

#[test]
fn one_vcpu_is_no_plural() {
    let problem = enough_vcpus(&vm(1), Performance::Low, false).expect_err("too few");
    assert_eq!(problem.found, "VM web1 has 1 vCPU.");
    let problem = minimum_vcpus(1, Performance::Low, false).expect_err("too few");
    assert_eq!(problem.found, "1 vCPU for Low.");
}

#[test]
fn a_vm_needs_a_vnic() {
    let mut vm = vm(2);
    let problem = has_vnics(&vm).expect_err("none");
    assert_eq!(problem.code, Code::GetNetworkAdapterFailed);
    assert_eq!(
        problem.message,
        "Failed to get network adapters for VM web1."
    );
    vm.vnics.push(Vnic {
        kind: "bridge".to_owned(),
        ..Vnic::default()
    });
    assert_eq!(has_vnics(&vm), Ok(()));
}

#[test]
fn the_first_adapter_with_room_is_taken() {
    let full = free(0, 8, 8);
    let narrow = free(4, 8, 2);
    let scarce = free(4, 3, 8);
    let good = free(1, 4, 4);
    assert_eq!(
        place(
            "web1",
            Performance::High,
            &PerformanceSettings::default(),
            &[full, narrow, scarce, good, good]
        ),
        Ok(3)
    );
}

#[test]
fn what_binds_is_named() {
    let binding = |adapters: &[FreeCapacity]| {
        let problem = place(
            "web1",
            Performance::Medium,
            &PerformanceSettings::default(),
            adapters,
        )
        .expect_err("no room");
        assert_eq!(problem.code, Code::ClusterNotEnoughResources);
        problem.found
    };
    assert_eq!(
        binding(&[free(0, 9, 8), free(0, 1, 8)]),
        "0 VFs and 10 queue pairs are free; VFs bind."
    );
    assert_eq!(
        binding(&[free(3, 1, 8)]),
        "3 VFs and 1 queue pair are free; queue pairs bind."
    );
    // Enough of both, and not on one adapter.
    assert_eq!(
        binding(&[free(0, 8, 8), free(3, 1, 8)]),
        "3 VFs and 9 queue pairs are free, but no adapter has a VF and 2 queue pairs together."
    );
}

#[test]
fn what_no_adapter_can_give_is_not_a_lack_of_room() {
    let narrow = [free(8, 64, 2), free(8, 64, 3)];
    let problem = place(
        "web1",
        Performance::High,
        &PerformanceSettings::default(),
        &narrow,
    )
    .expect_err("too narrow");
    assert_eq!(problem.code, Code::CannotProvisionPerformance);
    assert_eq!(problem.message, "Cannot provision High on this system.");
    assert_eq!(problem.found, "A VF here can have 3 queue pairs at most.");
    assert_eq!(
        place(
            "web1",
            Performance::Medium,
            &PerformanceSettings::default(),
            &narrow
        ),
        Ok(0)
    );
    assert!(
        provisionable(Performance::Low, &PerformanceSettings::default(), &[]).is_err(),
        "nothing gives nothing"
    );
}
