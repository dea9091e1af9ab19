//! The bridges of the running kernel, in the network namespace of the calling thread.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use accelnet_model::switch::{Bridge, Carried, Mention, Neighbour, PortRules, Setting, SwitchStep};
use accelnet_netlink::{
    self as netlink, LinkChange, NeighbourState, NetlinkError, NewBridge, Place,
};
use accelnet_pci::Root;

use super::{Switches, firewall};
use crate::{Clock, SystemClock};

/// The running kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct KernelSwitches;

/// Per-link settings that decide what the node receives, answers and forwards
/// (`Documentation/networking/ip-sysctl.rst`).
const SETTINGS: &[&str] = &[
    "ipv4/accept_local",
    "ipv4/accept_redirects",
    "ipv4/accept_source_route",
    "ipv4/arp_announce",
    "ipv4/arp_filter",
    "ipv4/arp_ignore",
    "ipv4/arp_notify",
    "ipv4/forwarding",
    "ipv4/log_martians",
    "ipv4/promote_secondaries",
    "ipv4/proxy_arp",
    "ipv4/rp_filter",
    "ipv4/secure_redirects",
    "ipv4/send_redirects",
    "ipv4/src_valid_mark",
    "ipv6/disable_ipv6",
    // Before `accept_ra`, whose meaning it changes.
    "ipv6/forwarding",
    "ipv6/accept_ra",
    "ipv6/accept_ra_defrtr",
    "ipv6/accept_ra_pinfo",
    "ipv6/accept_ra_rt_info_max_plen",
    "ipv6/accept_ra_rtr_pref",
    "ipv6/accept_redirects",
    "ipv6/autoconf",
    "ipv6/keep_addr_on_down",
    "ipv6/ndisc_notify",
    "ipv6/proxy_ndp",
    "ipv6/use_tempaddr",
];

/// Pause between two reads of the answer to a probe.
const PAUSE: Duration = Duration::from_millis(20);

impl Switches for KernelSwitches {
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError> {
        netlink::bridges()
    }

    fn carried(&self, link: &str) -> Result<Carried, NetlinkError> {
        let fixed = netlink::neighbours(link)?
            .into_iter()
            .filter(|entry| entry.state == NeighbourState::Permanent);
        let fixed = fixed.filter_map(|entry| {
            Some(Neighbour {
                ip: entry.ip,
                mac: entry.mac?,
            })
        });
        Ok(Carried {
            addresses: netlink::addresses(link)?,
            routes: netlink::routes(link)?
                .into_iter()
                .filter(|route| route.table != accelnet_model::switch::Route::LOCAL)
                .collect(),
            neighbours: fixed.collect(),
            settings: settings(link),
            stacked: netlink::stacked(link)?,
        })
    }

    fn port_rules(&self, bridge: &str) -> Result<Option<PortRules>, NetlinkError> {
        netlink::port_rules(bridge)
    }

    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        match step {
            SwitchStep::CreateBridge { bridge, mac, mtu } => netlink::create_bridge(&NewBridge {
                name: bridge.clone(),
                mac: *mac,
                mtu: *mtu,
                vlan_filtering: false,
            }),
            SwitchStep::DeleteBridge { bridge } => netlink::delete_bridge(bridge),
            SwitchStep::Set { link, setting } => {
                set(link, setting).map_err(|error| NetlinkError::System {
                    what: step.to_string(),
                    call: "write",
                    reason: error.to_string(),
                })
            }
            SwitchStep::SetMac { link, mac } => netlink::set_link(link, &LinkChange::Mac(*mac)),
            SwitchStep::SetMtu { link, mtu } => netlink::set_link(link, &LinkChange::Mtu(*mtu)),
            SwitchStep::Up { link } => netlink::set_link(link, &LinkChange::Up),
            SwitchStep::Down { link } => gone_is_fine(netlink::set_link(link, &LinkChange::Down)),
            SwitchStep::AddPort { bridge, port } => {
                netlink::set_link(port, &LinkChange::PortOf(bridge.clone()))
            }
            SwitchStep::RemovePort { bridge, port } => netlink::remove_port(bridge, port),
            SwitchStep::AddAddress { link, address } => netlink::add_address(link, address),
            SwitchStep::RemoveAddress { link, address } => {
                gone_is_fine(netlink::remove_address(link, address))
            }
            SwitchStep::AddRoute { link, route } => netlink::add_route(link, route, Place::Behind),
            SwitchStep::RemoveRoute { link, route } => {
                gone_is_fine(netlink::remove_route(link, route))
            }
            SwitchStep::AddNeighbour { link, neighbour } => {
                netlink::fix_neighbour(link, *neighbour)
            }
            SwitchStep::RemoveNeighbour { link, neighbour } => {
                gone_is_fine(netlink::forget_neighbour(link, neighbour.ip))
            }
        }
    }

    fn mentions(&self, link: &str) -> Vec<Mention> {
        let mut mentions = Vec::new();
        match netlink::rules_of(link) {
            Ok(rules) => {
                mentions.extend(rules.into_iter().map(|rule| Mention::PolicyRule { rule }))
            }
            Err(error) => mentions.push(unread("ip rule", &error)),
        }
        match netlink::disciplines(link) {
            Ok(all) => {
                mentions.extend(all.into_iter().map(|what| Mention::TrafficControl { what }))
            }
            Err(error) => mentions.push(unread("traffic control", &error)),
        }
        mentions.extend(firewall::mentions(&Root::system(), link));
        mentions
    }

    fn answers(&self, gateway: IpAddr, link: &str, within: Duration) -> bool {
        let clock = SystemClock;
        let begun = clock.uptime();
        loop {
            if netlink::ask_neighbour(link, gateway).is_ok() {
                loop {
                    match state(link, gateway) {
                        Some(NeighbourState::Reachable) => return true,
                        Some(NeighbourState::Permanent | NeighbourState::NoArp) => return false,
                        Some(NeighbourState::Incomplete | NeighbourState::Probe) => {}
                        _ => break,
                    }
                    if clock.uptime().saturating_sub(begun) >= within {
                        return false;
                    }
                    clock.sleep(PAUSE);
                }
            }
            if clock.uptime().saturating_sub(begun) >= within {
                return false;
            }
            clock.sleep(PAUSE);
        }
    }
}

fn unread(what: &str, error: &NetlinkError) -> Mention {
    Mention::Unread {
        what: what.to_owned(),
        reason: format!("it failed to {error}"),
    }
}

fn state(link: &str, ip: IpAddr) -> Option<NeighbourState> {
    let all = netlink::neighbours(link).ok()?;
    let found = all.into_iter().find(|entry| entry.ip == ip);
    found.map(|entry| entry.state)
}

/// What a link no longer has, it need not lose: also when it is gone itself.
fn gone_is_fine(result: Result<(), NetlinkError>) -> Result<(), NetlinkError> {
    // errno.h
    const ENODEV: i32 = 19;
    match result {
        Err(error) if error.errno() == Some(ENODEV) => Ok(()),
        result => result,
    }
}

fn file(link: &str, name: &str) -> Option<String> {
    let (family, name) = name.split_once('/')?;
    Some(format!("/proc/sys/net/{family}/conf/{link}/{name}"))
}

/// The settings of a link that are not those of a new one. What a kernel does not have is
/// left out.
fn settings(link: &str) -> Vec<Setting> {
    let read = |link: &str, name: &str| {
        let text = std::fs::read_to_string(file(link, name)?).ok()?;
        Some(text.trim().to_owned())
    };
    SETTINGS
        .iter()
        .filter_map(|name| {
            let value = read(link, name)?;
            (Some(&value) != read("default", name).as_ref()).then(|| Setting {
                name: (*name).to_owned(),
                value,
            })
        })
        .collect()
}

fn set(link: &str, setting: &Setting) -> io::Result<()> {
    let odd = || io::Error::from(io::ErrorKind::InvalidInput);
    let path = file(link, &setting.name).ok_or_else(odd)?;
    std::fs::write(path, &setting.value)
}
