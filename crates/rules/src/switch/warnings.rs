//! What an administrator should know before the uplink's addresses go over.

use accelnet_model::switch::Keeper;

use super::choose::Chosen;

/// Sentences, one or more a warning.
pub fn of(chosen: &Chosen<'_>) -> Vec<String> {
    let bridge = &chosen.bridge;
    let uplink = &chosen.link.name;
    let keepers = chosen.uplink.keepers.iter();
    let mut warnings: Vec<String> = keepers
        .map(|keeper| keeper_warning(keeper, uplink, bridge))
        .collect();
    for address in &chosen.uplink.carried.addresses {
        if let Some(seconds) = address.valid {
            warnings.push(format!(
                "{address} on {uplink} is valid for {seconds} s more and goes over with that lifetime. Whoever renews it must do so on {bridge} from then on."
            ));
        }
    }
    warnings
}

fn keeper_warning(keeper: &Keeper, uplink: &str, bridge: &str) -> String {
    match keeper {
        Keeper::Networkd => format!(
            "systemd-networkd configures {uplink}, and can put its addresses back. Let it know the bridge: in the .network file of {uplink} only `Bridge={bridge}`, its addresses in one for {bridge}, and a .netdev file with `Kind=bridge` and `MACAddress=` of {uplink}; accelnet then adopts it."
        ),
        Keeper::NetworkManager => format!(
            "NetworkManager configures {uplink}, and can put its addresses back. Let it know the bridge: `nmcli connection add type bridge ifname {bridge}` with the addresses of {uplink}, and `nmcli connection add type ethernet ifname {uplink} master {bridge}`; accelnet then adopts it. Or keep it away from {uplink}: `unmanaged-devices=interface-name:{uplink}`."
        ),
        Keeper::DhcpClient { program } => format!(
            "{program} renews the lease of {uplink}, and cannot do so on a port of a bridge. Let it run on {bridge} instead, before the lease ends."
        ),
    }
}
