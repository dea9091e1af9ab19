//! The host's firewall: the rules that filter what is forwarded, and whether bridged frames go through
//! them.

mod iptables;
mod nft;
mod program;
mod rulesets;

use accelnet_model::Observed;
use accelnet_model::firewall::{BridgeFilter, Calls, Family, FilteredBridge, Firewall, Protocol};
use accelnet_model::link::Link;
use accelnet_netlink::NetlinkError;
use accelnet_pci::Root;

use crate::Host;

pub use program::run_within;
pub use rulesets::{CopiedRulesets, Ruleset, Rulesets, SystemRulesets};

#[cfg(test)]
mod tests;

/// Everything that decides whether the bridges of a node forward; `links` are all of its links.
pub fn bridge_filter(
    host: &Host<'_>,
    links: Result<&[Link], &NetlinkError>,
) -> Observed<BridgeFilter> {
    let links = match links {
        Ok(links) => links,
        Err(error) => return Observed::unknown(format!("it failed to {error}")),
    };
    let calls = calls(host.root, |protocol| {
        format!("/proc/sys/net/bridge/bridge-nf-{}", protocol.call())
    });
    let bridges = bridges(host.root, links);
    let each = bridges.iter().map(|bridge| bridge.calls);
    let called = each.fold(calls, Calls::or);
    Observed::Known(BridgeFilter {
        calls,
        bridges,
        links: links.iter().map(|link| link.name.clone()).collect(),
        firewall: read(host.root, host.rulesets, called).into(),
    })
}

fn bridges(root: &Root, links: &[Link]) -> Vec<FilteredBridge> {
    let folder = |link: &Link| format!("/sys/class/net/{}/bridge", link.name);
    let virtual_links = links.iter().filter(|link| link.parent.is_none());
    let bridges = virtual_links.filter(|link| root.exists(&folder(link)));
    let of = |master: &Link| {
        let name = Some(master.name.clone());
        links.iter().filter(move |port| port.master == name)
    };
    bridges
        .map(|bridge| FilteredBridge {
            name: bridge.name.clone(),
            ports: of(bridge).map(|port| port.name.clone()).collect(),
            has_adapter: of(bridge)
                .any(|port| port.parent.is_some() || of(port).any(|own| own.parent.is_some())),
            calls: calls(root, |protocol| {
                let setting = protocol.call().replace('-', "_");
                format!("{}/nf_{setting}", folder(bridge))
            }),
        })
        .collect()
}

/// Without br_netfilter there are no such files.
fn calls(root: &Root, file: impl Fn(Protocol) -> String) -> Calls {
    let on = |protocol| root.text(&file(protocol)).is_ok_and(|value| value != "0");
    Calls {
        ip: on(Protocol::Ip),
        ip6: on(Protocol::Ip6),
        arp: on(Protocol::Arp),
    }
}

/// The rules that frames of bridges meet, as far as the kernel has any: a program that prints them would
/// load what keeps them. Those of IP count only where br_netfilter passes bridged packets to them.
fn read(root: &Root, rulesets: &dyn Rulesets, called: Calls) -> Result<Firewall, String> {
    let is_called = Protocol::ALL.into_iter().any(|one| called.has(one));
    let mut firewall = Firewall::default();
    if has_nf_tables(root) && (is_called || rulesets.may_have_bridge_tables()) {
        if is_called {
            for (which, family) in [
                (Ruleset::Iptables, Family::Ip),
                (Ruleset::Ip6tables, Family::Ip6),
            ] {
                if let Some(text) = rulesets.print(which)? {
                    firewall.chains.extend(iptables::chains(&text, family));
                }
            }
        }
        let printed = rulesets.print(Ruleset::Nft)?;
        let printed = printed.ok_or("nft is not installed, which prints the rules of nf_tables")?;
        let mut chains = nft::chains(&printed)?;
        // Of a table that iptables keeps there, nft shows less than iptables does.
        chains.retain(|chain| {
            let own = |known: &accelnet_model::firewall::Chain| {
                known.family == chain.family && known.table == chain.table
            };
            !firewall.chains.iter().any(own)
        });
        firewall.chains.extend(chains);
    }
    if !is_called {
        return Ok(firewall);
    }
    for (which, family, file) in [
        (
            Ruleset::LegacyIptables,
            Family::Ip,
            "/proc/net/ip_tables_names",
        ),
        (
            Ruleset::LegacyIp6tables,
            Family::Ip6,
            "/proc/net/ip6_tables_names",
        ),
    ] {
        if root.text(file).is_ok_and(|names| !names.is_empty()) {
            let (program, _) = which.command();
            let text = rulesets.print(which)?;
            let text = text.ok_or_else(|| format!("{program} is not installed"))?;
            firewall.chains.extend(iptables::chains(&text, family));
        }
    }
    Ok(firewall)
}

fn has_nf_tables(root: &Root) -> bool {
    let built_in = || {
        let release = root.text("/proc/sys/kernel/osrelease").unwrap_or_default();
        let modules = root.text(&format!("/lib/modules/{release}/modules.builtin"));
        modules.is_ok_and(|modules| modules.contains("/nf_tables.ko"))
    };
    root.exists("/sys/module/nf_tables") || built_in()
}
