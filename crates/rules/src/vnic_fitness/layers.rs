//! Where the settings of a vNIC come from: itself, its port group, its network, in this order.

use accelnet_model::Problem;
use accelnet_model::port::{PortSettings, VnicVlan};

use super::{Way, name, unfit};

/// One of them.
pub struct Layer<'a> {
    /// As a sentence begins with it.
    pub what: String,
    /// Its VLAN.
    pub vlan: Option<&'a VnicVlan>,
    /// Its other settings.
    pub port: &'a PortSettings,
    /// Whether all vNICs of a network share its bandwidth.
    shared: bool,
}

/// The layers of a vNIC, the nearest first. What runs shows what its port came to when it was plugged;
/// its network may have changed since, and its shared bandwidth counts in any case.
pub fn of<'a>(way: &Way<'a>) -> Vec<Layer<'a>> {
    let vnic = way.vnic;
    let mut layers = vec![Layer {
        what: name(vnic),
        vlan: vnic.vlan.as_ref(),
        port: &vnic.port,
        shared: false,
    }];
    let Some(network) = way.network else {
        return layers;
    };
    let source = vnic.source.as_deref().unwrap_or_default();
    let resolved = vnic.kind != "network";
    if let Some(group) = network
        .group(vnic.portgroup.as_deref())
        .filter(|_| !resolved)
    {
        layers.push(Layer {
            what: format!("Port group {} of network {source}", group.name),
            vlan: group.vlan.as_ref(),
            port: &group.port,
            shared: false,
        });
    }
    layers.push(Layer {
        what: format!("Network {source}"),
        vlan: network.vlan.as_ref().filter(|_| !resolved),
        port: &network.port,
        shared: true,
    });
    layers
}

impl Layer<'_> {
    /// What no VF can have is not there.
    pub fn holds(&self, vm: &str) -> Result<(), Problem> {
        let what = &self.what;
        let port = self.port;
        if let Some(filter) = &port.filter {
            return Err(unfit(
                vm,
                format!(
                    "{what} has the network filter {filter}, which works on the host's end of the vNIC: a VF bypasses it."
                ),
                "A vNIC without <filterref>: adapters do not filter as libvirt does.",
                "Leave the VM on its software path, or take <filterref> out with 'virsh edit' (and 'virsh update-device' of a running VM), if it may send and receive without the filter.",
            ));
        }
        if port.link_down {
            return Err(unfit(
                vm,
                format!(
                    "The link of {} is down: a VF would connect it.",
                    lower(what)
                ),
                "A vNIC whose link is up.",
                "If the VM may have network, set the link up with 'virsh domif-setlink' and take <link state='down'/> out of its definition, then run the same command again.",
            ));
        }
        if port.isolated {
            return Err(unfit(
                vm,
                format!(
                    "{what} is isolated (<port isolated='yes'/>): the bridge separates it from other isolated ports, and a VF bypasses the bridge."
                ),
                "A vNIC that is not isolated.",
                "Leave the VM on its software path, or take <port isolated='yes'/> out with 'virsh edit' or 'virsh net-edit', if it may reach the others.",
            ));
        }
        if let Some(kind) = &port.virtual_port {
            let kind = match kind.as_str() {
                "" => String::new(),
                kind => format!(" of type {kind}"),
            };
            return Err(unfit(
                vm,
                format!("{what} has a <virtualport>{kind}, which a VF does not go through."),
                "A vNIC without <virtualport>, on a Linux bridge.",
                "Leave the VM on its software path, or take <virtualport> out with 'virsh edit' or 'virsh net-edit'.",
            ));
        }
        self.bandwidth_holds(vm)
    }

    fn bandwidth_holds(&self, vm: &str) -> Result<(), Problem> {
        let what = &self.what;
        if self.shared && (self.port.inbound.is_some() || self.port.outbound.is_some()) {
            return Err(unfit(
                vm,
                format!(
                    "{what} has a <bandwidth> that its VMs share: what goes over a VF would not be counted."
                ),
                "A network without <bandwidth>; an outbound limit of a vNIC or port group is carried.",
                "Leave the VM on its software path, or give each vNIC an <outbound> of its own and take <bandwidth> out with 'virsh net-edit'.",
            ));
        }
        let Some(inbound) = self.port.inbound else {
            return Ok(());
        };
        let limit = match (inbound.average, inbound.floor) {
            (Some(average), _) => format!("may receive {average} KiB/s"),
            (None, Some(floor)) => format!("has a guaranteed inbound rate of {floor} KiB/s"),
            (None, None) => "has an inbound <bandwidth>".to_owned(),
        };
        Err(unfit(
            vm,
            format!("{what} {limit}: an adapter limits only what a VF sends."),
            "A vNIC without inbound <bandwidth>.",
            "Leave the VM on its software path, or take <inbound> out with 'virsh edit' or 'virsh domiftune --inbound 0'.",
        ))
    }
}

/// What a sentence begins with, in the middle of one.
fn lower(what: &str) -> String {
    what.replacen("Its", "its", 1)
}
