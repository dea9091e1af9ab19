//! What prints the rules of the firewall.

use std::time::Duration;

use accelnet_pci::Root;

use super::program::run_within;

/// The bridge family of nf_tables (`linux/netfilter.h`).
const NFPROTO_BRIDGE: u8 = 7;

/// How long a program may take to print the rules.
const PATIENCE: Duration = Duration::from_secs(10);

/// A set of rules, as the program that prints it names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruleset {
    /// `nft --json list ruleset`: all of nf_tables.
    Nft,
    /// `iptables-nft-save`: IPv4 tables that iptables keeps in nf_tables.
    Iptables,
    /// `ip6tables-nft-save`.
    Ip6tables,
    /// `iptables-legacy-save`: IPv4 tables of the old kernel interface.
    LegacyIptables,
    /// `ip6tables-legacy-save`.
    LegacyIp6tables,
}

impl Ruleset {
    /// The program, and its arguments.
    pub fn command(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Ruleset::Nft => ("nft", &["--json", "list", "ruleset"]),
            Ruleset::Iptables => ("iptables-nft-save", &[]),
            Ruleset::Ip6tables => ("ip6tables-nft-save", &[]),
            Ruleset::LegacyIptables => ("iptables-legacy-save", &[]),
            Ruleset::LegacyIp6tables => ("ip6tables-legacy-save", &[]),
        }
    }
}

/// What prints the rules of a host.
pub trait Rulesets: Send + Sync {
    /// The rules as their program prints them; none where the program is not installed.
    ///
    /// # Errors
    ///
    /// What the program reported, as a sentence without its full stop.
    fn print(&self, which: Ruleset) -> Result<Option<String>, String>;

    /// Whether nf_tables may have a table of the bridge family, asked without a program.
    fn may_have_bridge_tables(&self) -> bool {
        true
    }
}

/// The programs of the running system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRulesets;

impl Rulesets for SystemRulesets {
    fn print(&self, which: Ruleset) -> Result<Option<String>, String> {
        let (program, arguments) = which.command();
        let places = ["/usr/sbin", "/sbin", "/usr/bin"];
        let mut places = places.iter().map(|place| format!("{place}/{program}"));
        match places.find(|path| std::path::Path::new(path).exists()) {
            Some(path) => {
                let printed = run_within(&path, arguments, PATIENCE);
                printed
                    .map(Some)
                    .map_err(|reason| format!("{program}: {reason}"))
            }
            None => Ok(None),
        }
    }

    fn may_have_bridge_tables(&self) -> bool {
        accelnet_netlink::has_nf_tables(NFPROTO_BRIDGE).unwrap_or(true)
    }
}

/// The rules of a copy of a node: what each program printed, in `/run/accelnet/recorded/PROGRAM`.
#[derive(Debug, Clone)]
pub struct CopiedRulesets {
    root: Root,
}

impl CopiedRulesets {
    /// Those below `root`.
    pub fn new(root: Root) -> Self {
        CopiedRulesets { root }
    }
}

impl Rulesets for CopiedRulesets {
    fn print(&self, which: Ruleset) -> Result<Option<String>, String> {
        let path = format!("/run/accelnet/recorded/{}", which.command().0);
        match self.root.text(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }
}
