//! Two agents that enable a VM at the same moment, and one VF is left.

use std::sync::{Arc, Barrier};
use std::thread;

use accelnet_model::Code;
use accelnet_store::Store;
use accelnet_store::testing::EtcdServer;

use crate::fixture::{Machine, WHO, enable, intent_add, only, policy, vm_disable, vm_enable};

/// How often it is tried.
const ROUNDS: u32 = 1000;

/// One VF on each of two nodes, one of which may be down: one VM is all that can be promised.
#[test]
fn exactly_one_gets_it_a_thousand_times() {
    let server = EtcdServer::start();
    let machines = [Machine::boot(1), Machine::boot(2)];
    let mut agents = Vec::new();
    for machine in &machines {
        // Each has its own connection.
        let store: Arc<dyn Store> = Arc::new(server.store("cluster"));
        let mut agent = machine.agent(store);
        agent.reconcile().expect("a store");
        agents.push(agent);
    }
    agents[0].add_intent(WHO, &intent_add(1)).expect("declared");
    agents[1].reconcile().expect("a store");
    agents[0].enable(WHO, &enable(50)).expect("enabled");
    let store: Arc<dyn Store> = Arc::new(server.store("cluster"));
    let start = Arc::new(Barrier::new(2));
    let threads: Vec<_> = machines
        .iter()
        .zip(agents)
        .map(|(machine, mut agent)| {
            machine.define(1);
            let name = machine.vm(1);
            let (start, store) = (start.clone(), store.clone());
            thread::spawn(move || {
                let mut won = 0;
                for round in 0..ROUNDS {
                    start.wait();
                    let result = only(agent.change_vms(WHO, &vm_enable(&name)));
                    start.wait();
                    let promised = policy(&store).vms;
                    assert_eq!(promised.len(), 1, "round {round}: {promised:?} {result:?}");
                    start.wait();
                    let result = result.expect("an answer");
                    if result.ok {
                        assert_eq!(promised[0].0.name, name, "round {round}");
                        won += 1;
                        let back = only(agent.change_vms(WHO, &vm_disable(&name)));
                        assert!(back.is_ok_and(|back| back.ok), "round {round}");
                    } else {
                        let problem = result.problem.expect("why");
                        let code = Code::ClusterNotEnoughResources;
                        assert_eq!(problem.code, code, "round {round}: {problem:?}");
                    }
                }
                won
            })
        })
        .collect();
    let won: Vec<u32> = threads
        .into_iter()
        .map(|thread| thread.join().expect("a agent"))
        .collect();
    assert_eq!(won.iter().sum::<u32>(), ROUNDS, "{won:?}");
}
