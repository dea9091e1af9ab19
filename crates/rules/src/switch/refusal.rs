//! Why a node cannot get its virtual switch.

use accelnet_model::link::BondMode;

/// The refusal. Its text is the cause, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SwitchRefusal {
    /// The intent has no adapter on this node.
    #[error("The intent has no adapter on this node.")]
    NoUplink,
    /// The adapter has no network device.
    #[error("Link {uplink} does not exist.")]
    NoSuchLink {
        /// The adapter's link.
        uplink: String,
    },
    /// The adapter has no MAC.
    #[error("{uplink} has no Ethernet address.")]
    NotEthernet {
        /// The adapter's link.
        uplink: String,
    },
    /// A bond has it, and no bridge has the bond.
    #[error("{uplink} is in {bond}, which is no port of a bridge.")]
    InBond {
        /// The adapter's link.
        uplink: String,
        /// The bond.
        bond: String,
    },
    /// A bond has it that receives on several ports.
    #[error("{uplink} is a port of {bond}, a bond in mode {mode}. {}", loss(*mode))]
    Aggregated {
        /// The adapter's link.
        uplink: String,
        /// The bond.
        bond: String,
        /// Its mode.
        mode: BondMode,
    },
    /// The bridge that the intent had has none of its adapters any more.
    #[error("Bridge {bridge} is the intent's virtual switch, and {uplink} is no longer its port.")]
    LeftBridge {
        /// The adapter's link.
        uplink: String,
        /// The bridge.
        bridge: String,
    },
    /// Another master has it.
    #[error("{uplink} belongs to {master}, which is of the kind {kind}.")]
    PortElsewhere {
        /// The adapter's link.
        uplink: String,
        /// What it belongs to.
        master: String,
        /// Its kind.
        kind: String,
    },
    /// Other links are stacked on it.
    #[error("{uplink} has upper devices: {on_top}.")]
    Stacked {
        /// The adapter's link.
        uplink: String,
        /// Names and kinds.
        on_top: String,
    },
    /// Running VMs have macvtaps on it.
    #[error("These VMs run with a macvtap on {uplink}: {vms}.")]
    Macvtap {
        /// The adapter's link.
        uplink: String,
        /// Names of the VMs.
        vms: String,
    },
    /// Its bridge has another adapter, too.
    #[error("{uplink} is a port of bridge {bridge}, and {other} is another one.")]
    SharedBridge {
        /// The adapter's link.
        uplink: String,
        /// The bridge.
        bridge: String,
        /// An adapter that another program uses.
        other: String,
    },
    /// The requested bridge has an uplink that is not the intent's.
    #[error("Bridge {bridge} exists and has the port {other}, which is no adapter of the intent.")]
    BridgeHasUplink {
        /// The bridge.
        bridge: String,
        /// Its port.
        other: String,
        /// The adapter's link.
        uplink: String,
    },
    /// The name belongs to another bridge.
    #[error("{bridge} is the name of a link that is no bridge ({kind}).")]
    NameTaken {
        /// The name.
        bridge: String,
        /// What has it.
        kind: String,
    },
    /// No link can be called so.
    #[error("{bridge:?} is not a valid name of a bridge.")]
    BadName {
        /// The name.
        bridge: String,
    },
    /// A new port would be silent for too long.
    #[error(
        "Bridge {bridge} runs a spanning tree: {uplink}, which carries addresses of the node, would be silent for {silent_s} s."
    )]
    SpanningTree {
        /// The bridge.
        bridge: String,
        /// The adapter's link.
        uplink: String,
        /// Seconds.
        silent_s: u32,
    },
    /// A route cannot go over.
    #[error("Route {route} goes out of {uplink} and has {peculiar}.")]
    RouteStays {
        /// The adapter's link.
        uplink: String,
        /// The route.
        route: String,
        /// What it has.
        peculiar: String,
    },
}

/// What VFs lose under a bond in this mode.
fn loss(mode: BondMode) -> &'static str {
    match mode {
        BondMode::Lacp | BondMode::BalanceXor | BondMode::BalanceRr => {
            "A VF receives nothing of what the other switch sends to the bond's other ports."
        }
        BondMode::BalanceTlb | BondMode::BalanceAlb => {
            "The bond moves MACs between its ports, and a VF receives only at its own."
        }
        BondMode::Broadcast => "What a VM sends and receives comes twice, or not at all.",
        BondMode::ActiveBackup | BondMode::Unknown => {
            "It is unknown whether a VF receives all frames that are sent to its VM."
        }
    }
}

impl SwitchRefusal {
    /// The adapter's link that the refusal is about.
    pub fn uplink(&self) -> Option<&str> {
        match self {
            SwitchRefusal::NoUplink
            | SwitchRefusal::NameTaken { .. }
            | SwitchRefusal::BadName { .. } => None,
            SwitchRefusal::NoSuchLink { uplink }
            | SwitchRefusal::NotEthernet { uplink }
            | SwitchRefusal::InBond { uplink, .. }
            | SwitchRefusal::Aggregated { uplink, .. }
            | SwitchRefusal::LeftBridge { uplink, .. }
            | SwitchRefusal::PortElsewhere { uplink, .. }
            | SwitchRefusal::Stacked { uplink, .. }
            | SwitchRefusal::Macvtap { uplink, .. }
            | SwitchRefusal::SharedBridge { uplink, .. }
            | SwitchRefusal::BridgeHasUplink { uplink, .. }
            | SwitchRefusal::SpanningTree { uplink, .. }
            | SwitchRefusal::RouteStays { uplink, .. } => Some(uplink),
        }
    }

    /// The requirement, as a sentence.
    pub fn needed(&self) -> String {
        match self {
            SwitchRefusal::NoUplink | SwitchRefusal::NoSuchLink { .. } => {
                "An adapter with a network device of the host.".to_owned()
            }
            SwitchRefusal::NotEthernet { .. } => "An Ethernet adapter.".to_owned(),
            SwitchRefusal::InBond { .. } => {
                "A single adapter, or a bond that is a port of a bridge.".to_owned()
            }
            SwitchRefusal::Aggregated { .. } => {
                "An adapter in no bond, or in one in mode active-backup.".to_owned()
            }
            SwitchRefusal::LeftBridge { .. } => {
                "An adapter of the intent as a port of its bridge, itself or in a bond.".to_owned()
            }
            SwitchRefusal::PortElsewhere { .. } => {
                "An adapter that belongs to a Linux bridge, to a bond in mode active-backup, or to nothing."
                    .to_owned()
            }
            SwitchRefusal::Stacked { .. } | SwitchRefusal::Macvtap { .. } => {
                "An adapter without upper devices: they get no frames once it is a port of a bridge."
                    .to_owned()
            }
            SwitchRefusal::SharedBridge { .. } | SwitchRefusal::BridgeHasUplink { .. } => {
                "A bridge without other adapters: a second one would be a loop.".to_owned()
            }
            SwitchRefusal::NameTaken { .. } => "A name that is free, or a bridge's.".to_owned(),
            SwitchRefusal::BadName { .. } => {
                "1 to 15 bytes without white space, `/` and `:`, not beginning with a dot."
                    .to_owned()
            }
            SwitchRefusal::SpanningTree { .. } => {
                "A bridge that forwards at once: no spanning tree, or no forward delay.".to_owned()
            }
            SwitchRefusal::RouteStays { .. } => {
                "Routes with one next hop each, without encapsulation.".to_owned()
            }
        }
    }

    /// The remedy, as sentences.
    pub fn to_do(&self) -> String {
        match self {
            SwitchRefusal::NoUplink => "Add an adapter of this node to the intent.".to_owned(),
            SwitchRefusal::NoSuchLink { uplink } => format!(
                "Bind the adapter of {uplink} to its network driver, or remove it from the intent."
            ),
            SwitchRefusal::NotEthernet { uplink } => {
                format!("Remove {uplink} from the intent.")
            }
            SwitchRefusal::InBond { uplink, bond } => format!(
                "Make {bond} a port of a bridge, which is then adopted; or remove {uplink} from {bond}."
            ),
            SwitchRefusal::Aggregated { uplink, bond, .. } => format!(
                "Set {bond} to mode active-backup on this node, and its ports on the other switch to no aggregate; or remove {uplink} from {bond} or from the intent."
            ),
            SwitchRefusal::LeftBridge { uplink, bridge } => format!(
                "Make {uplink}, or the bond that it is in, a port of {bridge} again (`ip link set {uplink} master {bridge}`); or delete {bridge} when no VM is on it."
            ),
            SwitchRefusal::PortElsewhere { uplink, master, .. } => {
                format!("Remove {uplink} from {master} or from the intent.")
            }
            SwitchRefusal::Stacked { uplink, .. } => format!(
                "Move them from {uplink} to the bridge, which you make yourself and is then adopted; or remove them."
            ),
            SwitchRefusal::Macvtap { uplink, vms } => format!(
                "Shut them down and give their vNICs a network or a bridge in place of <interface type='direct'> ('virsh edit'): {vms}. Or create a bridge with {uplink} as its port; accelnet then adopts it."
            ),
            SwitchRefusal::SharedBridge { bridge, other, .. } => {
                format!("Remove {other} from {bridge}, or add its adapter to the intent.")
            }
            SwitchRefusal::BridgeHasUplink { bridge, other, .. } => format!(
                "Remove {other} from {bridge}, add its adapter to the intent, or name another bridge."
            ),
            SwitchRefusal::NameTaken { bridge, .. } => {
                format!("Rename the link {bridge}, or name another bridge.")
            }
            SwitchRefusal::BadName { .. } => "Name another bridge.".to_owned(),
            SwitchRefusal::SpanningTree { bridge, uplink, .. } => format!(
                "Switch it off (`ip link set {bridge} type bridge stp_state 0`), or make {uplink} its port yourself."
            ),
            SwitchRefusal::RouteStays { uplink, .. } => format!(
                "Make the bridge yourself with {uplink} as its port and the route on it; it is then adopted."
            ),
        }
    }
}
