//! Sending the orders of one request.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use accelnet_api::Caller;
use accelnet_api::types::{VmChange, VmResult, VmView};
use accelnet_model::{Code, Problem};
use accelnet_store::Close;
use tokio::sync::oneshot;

use super::asker::Asker;
use super::order::{MAX_VMS, Order, State};
use super::round::{Answered, NewOrder, Round, prefix_of};
use super::split::{named, refused, uuids, with_names};
use crate::problems::failed;

/// The VMs of a request on one node, and the answer of the node.
pub(crate) struct PartOfNode {
    pub node: String,
    pub vms: Vec<VmView>,
    pub answered: Answered,
}

impl PartOfNode {
    /// The result for each VM.
    pub fn results(self) -> Vec<VmResult> {
        match self.answered {
            Ok(changed) => named(changed.results, &self.node, &self.vms),
            Err(problem) => {
                let vms = self.vms.iter();
                vms.map(|vm| refused(&vm.name, Some(vm), &problem))
                    .collect()
            }
        }
    }
}

/// Closes the watch of a round when its caller no longer waits.
struct CloseOnDrop(Arc<dyn Close>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Asker {
    /// Writes the orders of a request from a thread of its own, and waits for their answers. Dropping the future
    /// withdraws orders that are not taken.
    pub fn send(
        &self,
        who: &Caller,
        change: &VmChange,
        others: BTreeMap<String, Vec<VmView>>,
    ) -> Result<impl Future<Output = Vec<PartOfNode>> + Send + use<>, Problem> {
        let mut parts = Vec::new();
        let mut orders = Vec::new();
        let mut slots = Vec::new();
        for (node, vms) in others {
            let slot = match self.refusal(&node)? {
                Some(problem) => Err(problem),
                None => self.slot(&node, &who.name),
            };
            match slot {
                Err(problem) => parts.push(PartOfNode {
                    node,
                    vms,
                    answered: Err(problem),
                }),
                Ok(slot) => {
                    slots.push(slot);
                    let some = vms.chunks(MAX_VMS).map(<[VmView]>::to_vec);
                    orders.extend(some.map(|vms| (self.new_order(who, change, &node, &vms), vms)));
                }
            }
        }
        let (sender, receiver) = oneshot::channel();
        let (orders, vms): (Vec<NewOrder>, Vec<Vec<VmView>>) = orders.into_iter().unzip();
        let nodes: Vec<String> = orders.iter().map(|one| one.node.clone()).collect();
        let closer = match orders.is_empty() {
            true => None,
            false => Some(self.begin(orders, sender)?),
        };
        Ok(async move {
            let _slots = slots;
            if let Some(closer) = closer {
                let answers = receiver.await.unwrap_or_default();
                drop(closer);
                let answered = nodes.into_iter().zip(vms).zip(answers);
                parts.extend(answered.map(|((node, vms), answered)| PartOfNode {
                    node,
                    vms,
                    answered,
                }));
            }
            parts
        })
    }

    fn new_order(&self, who: &Caller, change: &VmChange, node: &str, vms: &[VmView]) -> NewOrder {
        NewOrder {
            node: node.to_owned(),
            order: Order {
                asker: self.node.clone(),
                who: who.name.clone(),
                role: who.role,
                from: who.from.clone(),
                request: with_names(change, uuids(vms)),
                state: State::Waiting,
            },
        }
    }

    fn begin(
        &self,
        orders: Vec<NewOrder>,
        sender: oneshot::Sender<Vec<Answered>>,
    ) -> Result<CloseOnDrop, Problem> {
        let nodes: Vec<&str> = orders.iter().map(|one| one.node.as_str()).collect();
        let watch = self.store.watch(&prefix_of(&nodes), 0).map_err(failed)?;
        let closer = CloseOnDrop(watch.closer());
        let round = Round::new(self.clone(), watch);
        let thread = thread::Builder::new().name("orders out".to_owned());
        let spawned = thread.spawn(move || drop(sender.send(round.run(&orders))));
        spawned.map_err(|error| {
            let found = format!("No thread could be created to wait for other nodes: {error}.");
            Problem::new(Code::AgentBusy, &[], found)
        })?;
        Ok(closer)
    }
}
