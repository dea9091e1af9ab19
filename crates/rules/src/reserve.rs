//! The node reserve: whether every accelerated VM still gets its VF when nodes are down.
//!
//! One resource is looked at here, VFs. With the nodes of a set F down, their VMs need the free
//! VFs of the others: the sum of the demand in F must be at most the sum of what is free
//! outside F. Adding to both sides what is free in F, that is: the sum of demand and free VFs
//! over F must be at most all that is free. So the worst set of k nodes is the k nodes with the
//! most demand plus free VFs of their own.

use accelnet_model::{Code, Problem};

/// VFs of one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeVfs {
    /// Its name.
    pub node: String,
    /// VFs of the intent's adapters that accelerated VMs can have.
    pub vfs: u32,
    /// VFs promised to accelerated VMs there.
    pub promised: u32,
}

impl NodeVfs {
    fn free(&self) -> u32 {
        self.vfs.saturating_sub(self.promised)
    }
}

/// Nodes that may be down at once: `floor(nodes x reserve / 100)`.
pub fn reserved_nodes(nodes: u32, reserve_percentage: u8) -> u32 {
    u32::try_from(u64::from(nodes) * u64::from(reserve_percentage) / 100).unwrap_or(nodes)
}

/// The worst set of `down` nodes, and how many VFs it would leave wanting.
pub fn worst(nodes: &[NodeVfs], down: u32) -> (Vec<String>, u32) {
    let mut order: Vec<&NodeVfs> = nodes.iter().collect();
    order.sort_by_key(|one| {
        (
            std::cmp::Reverse(one.promised.max(one.vfs)),
            one.node.clone(),
        )
    });
    let down = usize::try_from(down).unwrap_or(usize::MAX).min(order.len());
    let (gone, left) = order.split_at(down);
    let wanted: u32 = gone.iter().map(|one| one.promised).sum();
    let free: u32 = left.iter().map(|one| one.free()).sum();
    let names = gone.iter().map(|one| one.node.clone()).collect();
    (names, wanted.saturating_sub(free))
}

/// How many nodes may be down, whichever they are, with every accelerated VM on a VF; none
/// where nothing is promised.
pub fn survives(nodes: &[NodeVfs]) -> Option<u32> {
    nodes.iter().find(|one| one.promised > 0)?;
    let most = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    (0..most)
        .take_while(|down| worst(nodes, *down).1 == 0)
        .last()
}

/// The promise must hold with `vm` counted in.
pub fn admits(vm: &str, nodes: &[NodeVfs], reserve_percentage: u8) -> Result<(), Problem> {
    let count = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let down = reserved_nodes(count, reserve_percentage);
    let (worst, missing) = worst(nodes, down);
    if missing == 0 {
        return Ok(());
    }
    let sufficient = (0..reserve_percentage)
        .rev()
        .find(|lower| self::worst(nodes, reserved_nodes(count, *lower)).1 == 0);
    let lower = match sufficient {
        Some(lower) => format!("lower the NodeReservePercentage to {lower} or less, or "),
        None => String::new(),
    };
    let plural = if missing == 1 { "VF" } else { "VFs" };
    Err(Problem::new(
        Code::ClusterNotEnoughResources,
        &[vm],
        format!(
            "With {} down, {missing} {plural} would be missing for the VMs that were there; VFs bind.",
            worst.join(" and ")
        ),
    )
    .needed(format!(
        "A VF for every accelerated VM with any {down} of {count} nodes down (a reserve of {reserve_percentage} %)."
    ))
    .resolution(format!(
        "To admit it, {lower}add {missing} {plural} on the other nodes."
    )))
}

#[cfg(test)]
mod tests;
