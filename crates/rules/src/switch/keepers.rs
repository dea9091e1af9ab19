//! Configuration lines that make a program configure the bridge instead of its uplink.

use accelnet_model::Mac;
use accelnet_model::switch::{Keeper, Program};

/// The uplink and its bridge.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// Name of the uplink.
    pub uplink: &'a str,
    /// Its MAC, which the bridge has, too.
    pub mac: Option<Mac>,
    /// Name of the bridge.
    pub bridge: &'a str,
}

/// A warning: what the program does to the uplink, and the lines that change it.
pub fn warning(keeper: &Keeper, pair: Pair<'_>) -> String {
    let Pair { uplink, bridge, .. } = pair;
    if let Program::DhcpClient { name, process } = &keeper.program {
        return client(name, *process, pair);
    }
    let by = match keeper.files.as_slice() {
        [] => String::new(),
        files => format!(" by {}", files.join(", ")),
    };
    let lease = match keeper.leases {
        true => format!(
            " It renews a lease on {uplink}, and gets no answer there once {uplink} is a port of {bridge}."
        ),
        false => String::new(),
    };
    let lines = match &keeper.program {
        Program::Networkd => networkd(keeper, pair),
        Program::NetworkManager { connection } => network_manager(keeper, connection, pair),
        Program::Netplan { id } => netplan(keeper, id, pair),
        Program::Ifupdown => ifupdown(keeper, pair),
        Program::NetworkScripts => network_scripts(keeper, pair),
        Program::Wicked => wicked(keeper, pair),
        Program::DhcpClient { .. } => Vec::new(),
    };
    let mut text = format!(
        "{keeper} configures {uplink}{by}, and can put addresses back on {uplink}.{lease} Let it configure {bridge} instead; accelnet then adopts that bridge:"
    );
    if keeper.cloud_init {
        text += "\n    # cloud-init writes this configuration again at each boot. First, in /etc/cloud/cloud.cfg.d/99-disable-network-config.cfg:";
        text += "\n    network: {config: disabled}";
    }
    for line in lines {
        text += "\n    ";
        text += &line;
    }
    text
}

/// A client that was started by hand, or by something that is not known.
fn client(name: &str, process: u32, pair: Pair<'_>) -> String {
    let Pair { uplink, bridge, .. } = pair;
    let line = match name {
        "dhcpcd" => {
            format!(
                "in /etc/dhcpcd.conf: denyinterfaces {uplink}\n    # then: dhcpcd --release {uplink}; dhcpcd {bridge}"
            )
        }
        "udhcpc" => format!("kill {process}; udhcpc -b -i {bridge}"),
        "pump" => format!("kill {process}; pump -i {bridge}"),
        _ => format!("kill {process}; {name} {bridge}"),
    };
    format!(
        "{name} (process {process}) renews a lease on {uplink}, and gets no answer there once {uplink} is a port of {bridge}. Run it on {bridge} instead, before the lease ends, and at each boot:\n    {line}"
    )
}

/// What the file was, to be named beside new lines.
fn file(keeper: &Keeper) -> &str {
    keeper.files.first().map_or("its file", String::as_str)
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

fn networkd(keeper: &Keeper, pair: Pair<'_>) -> Vec<String> {
    let Pair { uplink, bridge, .. } = pair;
    let old = file(keeper);
    let name = old.rsplit('/').next().unwrap_or_default();
    // networkd takes the first file that matches, in the order of their names.
    let place = if name > "05-" { "05" } else { "00" };
    let mac = pair.mac.map(|mac| format!("MACAddress={mac}"));
    let mut all = lines(&format!(
        "# /etc/systemd/network/{place}-{bridge}.netdev\n[NetDev]\nName={bridge}\nKind=bridge"
    ));
    all.extend(mac);
    all.extend(lines(&format!(
        "# /etc/systemd/network/{place}-{uplink}.network, which goes before {old}\n[Match]\nName={uplink}\n[Network]\nBridge={bridge}\n# /etc/systemd/network/{place}-{bridge}.network\n[Match]\nName={bridge}\n[Network]"
    )));
    all.push(match keeper.leases {
        true => "DHCP=yes".to_owned(),
        false => format!("# the lines of {old} that follow [Match]"),
    });
    all.push(format!(
        "# then: networkctl reload; networkctl reconfigure {uplink} {bridge}"
    ));
    all
}

fn network_manager(keeper: &Keeper, connection: &Option<String>, pair: Pair<'_>) -> Vec<String> {
    let Pair { uplink, bridge, .. } = pair;
    let mac = pair
        .mac
        .map_or_else(String::new, |mac| format!(" bridge.mac-address {mac}"));
    let old = connection.as_ref().map(|name| quoted(name));
    let addresses = match (keeper.leases, &old) {
        (true, _) => "ipv4.method auto".to_owned(),
        (false, Some(old)) => {
            format!("# with the ipv4 and ipv6 settings that 'nmcli connection show {old}' has")
        }
        (false, None) => format!("# with the ipv4 and ipv6 settings of {uplink}"),
    };
    // NetworkManager calls the connection that it made up for the bridge by the bridge's name.
    let mut all = vec![
        format!(
            "nmcli connection add type bridge con-name {bridge}-bridge ifname {bridge} bridge.stp no{mac} {addresses}"
        ),
        format!(
            "nmcli connection add type ethernet con-name {bridge}-{uplink} ifname {uplink} master {bridge}"
        ),
    ];
    all.extend(old.map(|old| format!("nmcli connection modify {old} connection.autoconnect no")));
    all.push(format!(
        "nmcli connection up {bridge}-bridge; nmcli connection up {bridge}-{uplink}"
    ));
    all
}

/// One word for a shell.
fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    match !name.is_empty() && name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

fn netplan(keeper: &Keeper, id: &str, pair: Pair<'_>) -> Vec<String> {
    let bridge = pair.bridge;
    let mut all = lines(&format!(
        "# {}: of {id}, only match: and set-name: stay as they are\nnetwork:\n  ethernets:\n    {id}:\n      dhcp4: false\n      dhcp6: false\n      accept-ra: false\n  bridges:\n    {bridge}:\n      interfaces: [{id}]",
        file(keeper)
    ));
    all.extend(pair.mac.map(|mac| format!("      macaddress: {mac}")));
    all.extend(lines("      parameters: {stp: false}"));
    all.push(match keeper.leases {
        true => "      dhcp4: true".to_owned(),
        false => format!("      # addresses:, routes: and nameservers: as {id} had them"),
    });
    all.push("# then: netplan apply".to_owned());
    all
}

fn ifupdown(keeper: &Keeper, pair: Pair<'_>) -> Vec<String> {
    let Pair { uplink, bridge, .. } = pair;
    let method = if keeper.leases { "dhcp" } else { "static" };
    let mut all = lines(&format!(
        "# {}, in place of 'iface {uplink} inet ...' (needs the package bridge-utils)\niface {uplink} inet manual\nauto {bridge}\niface {bridge} inet {method}\n    bridge_ports {uplink}\n    bridge_stp off\n    bridge_fd 0",
        file(keeper)
    ));
    all.extend(pair.mac.map(|mac| format!("    bridge_hw {mac}")));
    if !keeper.leases {
        all.push(format!(
            "    # address, gateway and the like as {uplink} had them"
        ));
    }
    all.push(match keeper.leases {
        true => format!("# then, or with the next boot: ifdown {uplink}; ifup {bridge}"),
        false => "# it applies with the next boot".to_owned(),
    });
    all
}

fn network_scripts(keeper: &Keeper, pair: Pair<'_>) -> Vec<String> {
    let Pair { uplink, bridge, .. } = pair;
    let old = file(keeper);
    let mut all = lines(&format!(
        "# {old}, in place of BOOTPROTO, IPADDR, PREFIX, GATEWAY and the like\nBRIDGE={bridge}\n# /etc/sysconfig/network-scripts/ifcfg-{bridge}\nDEVICE={bridge}\nTYPE=Bridge\nONBOOT=yes\nSTP=no"
    ));
    all.push(match keeper.leases {
        true => "BOOTPROTO=dhcp".to_owned(),
        false => format!("# BOOTPROTO, IPADDR, PREFIX, GATEWAY and the like of {old}"),
    });
    all.push(format!(
        "# then, or with the next boot: ifdown {uplink}; ifup {bridge}"
    ));
    all
}

fn wicked(keeper: &Keeper, pair: Pair<'_>) -> Vec<String> {
    let Pair { uplink, bridge, .. } = pair;
    let old = file(keeper);
    let mut all = lines(&format!(
        "# {old}: only STARTMODE stays, and\nBOOTPROTO='none'\n# /etc/sysconfig/network/ifcfg-{bridge}\nSTARTMODE='auto'\nBRIDGE='yes'\nBRIDGE_PORTS='{uplink}'\nBRIDGE_STP='off'\nBRIDGE_FORWARDDELAY='0'"
    ));
    all.extend(pair.mac.map(|mac| format!("LLADDR='{mac}'")));
    all.push(match keeper.leases {
        true => "BOOTPROTO='dhcp'".to_owned(),
        false => format!("# BOOTPROTO, IPADDR and the like of {old}"),
    });
    all.push("# then: wicked ifreload all".to_owned());
    all
}
