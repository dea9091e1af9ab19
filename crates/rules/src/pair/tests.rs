use super::*;

const MAC: Mac = Mac([0x52, 0x54, 0, 0x0d, 0, 1]);
const ALIAS: &str = "ua-nic";
const POOL: &str = "accelnet-lan-vf";

fn nic(teaming: Option<Teaming>) -> Vnic {
    Vnic {
        mac: Some(MAC),
        kind: "bridge".to_owned(),
        source: Some("br0".to_owned()),
        model: Some("virtio".to_owned()),
        alias: teaming.as_ref().map(|_| ALIAS.to_owned()),
        teaming,
        ..Vnic::default()
    }
}

fn vf() -> Vnic {
    Vnic {
        kind: "network".to_owned(),
        source: Some(POOL.to_owned()),
        model: None,
        alias: Some("ua-vf".to_owned()),
        teaming: Some(Teaming::Transient {
            persistent: ALIAS.to_owned(),
        }),
        ..nic(None)
    }
}

fn steps(plan: &Plan) -> &[Step] {
    &plan.steps
}

#[test]
fn a_stopped_vm_gets_its_pair_into_the_definition() {
    let vnics = [nic(None)];
    let plan = join(Pair::of(&vnics, MAC, POOL), None, false, false);
    assert_eq!(
        steps(&plan),
        [Step::WriteConfig, Step::JoinNic, Step::DefineVf]
    );
    assert!(!plan.waits_for_restart);
}

#[test]
fn a_running_vm_without_failover_waits_unless_now() {
    let vnics = [nic(None)];
    let pair = Pair::of(&vnics, MAC, POOL);
    let waits = join(pair, Some(pair), false, false);
    assert!(waits.waits_for_restart);
    assert!(!waits.steps.iter().any(|step| step.touches_running()));
    let now = join(pair, Some(pair), true, false);
    assert!(!now.waits_for_restart);
    assert_eq!(now.steps[3..], [Step::ReplugNic, Step::AttachVf]);
}

#[test]
fn a_running_vm_with_failover_gets_it_at_once() {
    let config = [nic(None)];
    let live = [nic(Some(Teaming::Persistent))];
    let plan = join(
        Pair::of(&config, MAC, POOL),
        Some(Pair::of(&live, MAC, POOL)),
        false,
        false,
    );
    assert_eq!(plan.steps.last(), Some(&Step::AttachVf));
}

#[test]
fn what_is_whole_is_left_alone() {
    let vnics = [nic(Some(Teaming::Persistent)), vf()];
    let pair = Pair::of(&vnics, MAC, POOL);
    assert_eq!(
        steps(&join(pair, Some(pair), true, false)),
        [Step::WriteConfig]
    );
    let again = join(pair, Some(pair), true, true);
    assert_eq!(again.steps[1..], [Step::DetachVf, Step::AttachVf]);
}

#[test]
fn a_vf_with_another_partner_is_defined_anew() {
    let mut vnics = [nic(Some(Teaming::Persistent)), vf()];
    vnics[0].alias = Some("ua-mine".to_owned());
    let plan = join(Pair::of(&vnics, MAC, POOL), None, false, false);
    assert_eq!(
        steps(&plan),
        [Step::WriteConfig, Step::UndefineVf, Step::DefineVf]
    );
}

#[test]
fn parting_takes_only_what_is_there() {
    let vnics = [nic(Some(Teaming::Persistent)), vf()];
    let pair = Pair::of(&vnics, MAC, POOL);
    assert_eq!(
        steps(&part(pair, Some(pair), false)),
        [
            Step::DetachVf,
            Step::UndefineVf,
            Step::PartNic,
            Step::Forget
        ]
    );
    let bare = [nic(None)];
    let bare = Pair::of(&bare, MAC, POOL);
    assert_eq!(steps(&part(bare, Some(bare), false)), [Step::Forget]);
}

#[test]
fn a_vnic_that_had_the_feature_before_keeps_it() {
    let vnics = [nic(Some(Teaming::Persistent)), vf()];
    let pair = Pair::of(&vnics, MAC, POOL);
    assert_eq!(
        steps(&part(pair, None, true)),
        [Step::UndefineVf, Step::Forget]
    );
    // What it was given goes all the same.
    let mut given = nic(Some(Teaming::Persistent));
    given.alias = Some(format!(
        "ua-accelnet-path-{}",
        MAC.to_string().replace(':', "")
    ));
    let given = [given];
    assert_eq!(
        steps(&part(Pair::of(&given, MAC, POOL), None, true)),
        [Step::PartNic, Step::Forget]
    );
}

#[test]
fn a_definition_without_a_place_gets_a_port_and_gives_it_back() {
    let full = PciSlots {
        root_ports: 2,
        free: Some(0),
        accelnet_root_ports: 0,
        pcie: Some(true),
    };
    let bare = [nic(None)];
    let plan = join(Pair::of(&bare, MAC, POOL), None, false, false);
    assert_eq!(
        steps(&plan.clone().with_port(&full)),
        [
            Step::WriteConfig,
            Step::JoinNic,
            Step::DefinePort,
            Step::DefineVf
        ]
    );
    let free = PciSlots {
        free: Some(1),
        ..full.clone()
    };
    assert_eq!(plan.clone().with_port(&free), plan);
    let grown = PciSlots {
        accelnet_root_ports: 1,
        ..full
    };
    let whole = [nic(Some(Teaming::Persistent)), vf()];
    let back = part(Pair::of(&whole, MAC, POOL), None, false);
    assert_eq!(back.clone().without_port(&free), back);
    assert_eq!(
        steps(&back.without_port(&grown)),
        [
            Step::UndefineVf,
            Step::UndefinePort,
            Step::PartNic,
            Step::Forget
        ]
    );
    // Also when the rest is gone already.
    let back = part(Pair::of(&bare, MAC, POOL), None, false);
    assert_eq!(
        steps(&back.without_port(&grown)),
        [Step::UndefinePort, Step::Forget]
    );
}

#[test]
fn a_running_vf_is_distinguished_from_the_vnic_with_its_mac() {
    let mut running = vf();
    running.kind = "hostdev".to_owned();
    running.source = None;
    running.host_device = "0000:01:10.0".parse().ok();
    let vnics = [running, nic(Some(Teaming::Persistent))];
    let pair = Pair::of(&vnics, MAC, POOL);
    assert_eq!(pair.nic.map(|nic| nic.kind.as_str()), Some("bridge"));
    assert_eq!(pair.vf.map(|vf| vf.kind.as_str()), Some("hostdev"));
}

#[test]
fn a_vf_in_another_vlan_than_its_vnic_is_defined_anew() {
    let in_vlan = |tags: &[u16], wanted| {
        let mut vf = vf();
        vf.vlan = (!tags.is_empty()).then(|| accelnet_model::port::VnicVlan {
            trunk: false,
            tags: tags.to_vec(),
            native: false,
        });
        let vnics = [nic(Some(Teaming::Persistent)), vf];
        let pair = Pair::of(&vnics, MAC, POOL).in_vlan(wanted);
        join(pair, None, false, false).steps
    };
    let anew = [Step::WriteConfig, Step::UndefineVf, Step::DefineVf];
    assert_eq!(in_vlan(&[42], Some(42)), [Step::WriteConfig]);
    assert_eq!(in_vlan(&[], Some(0)), [Step::WriteConfig]);
    assert_eq!(in_vlan(&[42], None), [Step::WriteConfig], "any is right");
    assert_eq!(in_vlan(&[42], Some(43)), anew);
    assert_eq!(in_vlan(&[42], Some(0)), anew);
    assert_eq!(in_vlan(&[], Some(42)), anew);
}

#[test]
fn a_vf_that_would_go_past_settings_is_taken_where_it_would() {
    let vnics = [nic(Some(Teaming::Persistent)), vf()];
    let pair = Pair::of(&vnics, MAC, POOL);
    let without = [nic(Some(Teaming::Persistent))];
    let without = Pair::of(&without, MAC, POOL);
    let of = |config, live| hold(config, live).steps;
    assert_eq!(of(pair, pair), [Step::DetachVf, Step::UndefineVf]);
    assert_eq!(of(Pair::default(), pair), [Step::DetachVf]);
    assert_eq!(of(pair, Pair::default()), [Step::UndefineVf]);
    assert_eq!(of(without, without), []);
}

/// The replacement of the VF in a VM that came to a node without a free one.
fn stand_in() -> Vnic {
    Vnic {
        alias: Some(format!("{VF_ALIAS}5254000d0001")),
        ..nic(None)
    }
}

#[test]
fn a_stand_in_is_neither_the_vnic_nor_a_vf_and_goes_first() {
    // Wherever it stands.
    let vnics = [stand_in(), nic(Some(Teaming::Persistent))];
    let live = Pair::of(&vnics, MAC, POOL);
    assert_eq!(live.nic, Some(&vnics[1]));
    assert_eq!((live.vf, live.stand_in), (None, Some(&vnics[0])));
    let config = [nic(Some(Teaming::Persistent)), vf()];
    let plan = join(Pair::of(&config, MAC, POOL), Some(live), false, false);
    assert_eq!(
        steps(&plan),
        [Step::WriteConfig, Step::DropStandIn, Step::AttachVf]
    );
    let plan = join_transient(live);
    assert_eq!(
        steps(&plan),
        [Step::WriteConfig, Step::DropStandIn, Step::AttachVf]
    );
    let plan = part(Pair::of(&config, MAC, POOL), Some(live), true);
    assert_eq!(
        steps(&plan),
        [Step::DropStandIn, Step::UndefineVf, Step::Forget]
    );
}

#[test]
fn a_vm_without_a_definition_gets_its_vf_if_its_vnic_can_give_way() {
    let able = [nic(Some(Teaming::Persistent))];
    let plan = join_transient(Pair::of(&able, MAC, POOL));
    assert_eq!(steps(&plan), [Step::WriteConfig, Step::AttachVf]);
    let whole = [nic(Some(Teaming::Persistent)), vf()];
    let plan = join_transient(Pair::of(&whole, MAC, POOL));
    assert_eq!(steps(&plan), [Step::WriteConfig]);
    let unable = [nic(None)];
    let plan = join_transient(Pair::of(&unable, MAC, POOL));
    assert_eq!(steps(&plan), [Step::WriteConfig]);
    assert!(plan.waits_for_restart);
}

#[test]
fn a_definition_elsewhere_offers_failover_and_asks_for_no_vf() {
    let ready_of = |vnics: &[Vnic]| ready(Pair::of(vnics, MAC, POOL)).steps;
    let teamed = || nic(Some(Teaming::Persistent));
    assert_eq!(ready_of(&[nic(None)]), [Step::JoinNic]);
    assert_eq!(ready_of(&[teamed(), vf()]), [Step::UndefineVf]);
    assert_eq!(
        ready_of(&[nic(None), vf()]),
        [Step::UndefineVf, Step::JoinNic]
    );
    assert_eq!(ready_of(&[teamed()]), []);
    // Without its vNIC it would have no network at all: it is left alone.
    assert_eq!(ready_of(&[vf()]), []);
    assert_eq!(ready_of(&[]), []);
}

#[test]
fn a_vf_of_the_owners_is_not_taken_over() {
    let domain = |vnics: Vec<Vnic>| Domain {
        name: "web1".to_owned(),
        uuid: "2f6a5b1c-0000-4000-8000-000000000001"
            .parse()
            .expect("a UUID"),
        state: accelnet_model::domain::DomainState::ShutOff,
        persistent: true,
        vcpus: 2,
        memory_mib: 1024,
        vnics,
        host_devices: Vec::new(),
        settings: accelnet_model::domain::DomainSettings::default(),
    };
    let problem = |vnics: Vec<Vnic>| has_no_other_vf(&domain(vnics), MAC, POOL).err();
    assert_eq!(problem(vec![nic(None)]), None);
    let mut ours = vf();
    ours.alias = Some(format!("{VF_ALIAS}5254000d0001"));
    assert_eq!(problem(vec![nic(None), ours, stand_in()]), None);
    let mut elsewhere = vf();
    elsewhere.mac = Some(Mac([0x52, 0x54, 0, 0x0d, 0, 2]));
    assert_eq!(problem(vec![nic(None), elsewhere]), None);
    let found = problem(vec![nic(None), vf()]).expect("a VF").found;
    assert_eq!(
        found,
        "Its vNIC 52:54:00:0d:00:01 has a VF already (ua-vf), which accelnet did not add."
    );
}
