//! The cluster's sums, kept from one admission to the next: only nodes of which something changed are counted
//! again.

use std::sync::Arc;

use accelnet_model::{Performance, Uuid, VmName, VmSetting};

use super::{Member, Parts, Standing};
use crate::reports::Report;

/// A cluster, and what it was counted from.
pub(crate) struct Kept {
    pub standing: Standing,
    basis: Basis,
    /// By the place of the node.
    given: Vec<Given>,
}

/// What concerns every node.
#[derive(PartialEq, Eq)]
struct Basis {
    sizes: [u64; 3],
    reserve: u8,
    intent: Option<String>,
}

impl Basis {
    fn of(parts: &Parts<'_>) -> Self {
        Basis {
            sizes: parts.sizes(),
            reserve: parts.management.node_reserve_percentage,
            intent: parts.policy.management.intent.clone(),
        }
    }
}

/// What a node was counted from.
struct Given {
    name: String,
    report: Option<Arc<Report>>,
    down: bool,
    vms: Vec<(Uuid, VmName, Performance)>,
}

impl Given {
    fn of(member: &Member<'_>) -> Self {
        let vm = |vm: &&VmSetting| (vm.uuid.clone(), vm.name.clone(), vm.performance);
        Given {
            name: member.name.to_owned(),
            report: member.report.cloned(),
            down: member.down,
            vms: member.vms.iter().map(vm).collect(),
        }
    }

    fn is_still(&self, member: &Member<'_>) -> bool {
        let report = match (&self.report, member.report) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        let mut vms = self.vms.iter().zip(&member.vms);
        report
            && self.down == member.down
            && self.vms.len() == member.vms.len()
            && vms.all(|((uuid, name, setting), vm)| {
                *uuid == vm.uuid && *name == vm.name && *setting == vm.performance
            })
    }
}

impl Kept {
    /// The cluster of `parts`: what `before` has of it stays, but for nodes of which something changed, this
    /// node, and those that were judged since. Everything is counted anew where nodes came or went, or where
    /// the management settings are others.
    pub fn follow(before: Option<Kept>, parts: &Parts<'_>) -> Self {
        let members = parts.members();
        let basis = Basis::of(parts);
        let same = |kept: &Kept| {
            let mut names = kept.given.iter().zip(&members);
            kept.basis == basis
                && kept.given.len() == members.len()
                && names.all(|(given, member)| given.name == member.name)
        };
        let Some(mut kept) = before.filter(same) else {
            return Kept {
                standing: Standing::of_members(parts, &members),
                given: members.iter().map(Given::of).collect(),
                basis,
            };
        };
        let own = parts.own.as_ref().map(|own| own.node);
        let touched = std::mem::take(&mut kept.standing.touched);
        for (place, member) in members.iter().enumerate() {
            let is_own = own == Some(member.name);
            if is_own || touched.contains(&place) || !kept.given[place].is_still(member) {
                kept.standing.recount(place, parts.count(member));
                kept.given[place] = Given::of(member);
            }
        }
        kept
    }
}
