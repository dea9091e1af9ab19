//! The firewall of a node that never existed: br_netfilter, and what programs print of the rules.

use std::io;

use accelnet_host::firewall::Ruleset;
use accelnet_model::firewall::Protocol;

use crate::kernel::SimKernel;

impl SimKernel {
    /// A process loads br_netfilter: it passes bridged packets to the firewall for all bridges, as its
    /// defaults are.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn load_br_netfilter(&self) -> io::Result<()> {
        std::fs::create_dir_all(self.root.locate("/proc/sys/net/bridge"))?;
        Protocol::ALL.into_iter().try_for_each(|protocol| {
            let path = format!("/proc/sys/net/bridge/bridge-nf-{}", protocol.call());
            std::fs::write(self.root.locate(&path), "1\n")
        })
    }

    /// A process disables that again.
    ///
    /// # Errors
    ///
    /// When br_netfilter is not loaded.
    pub fn call_no_firewall(&self) -> io::Result<()> {
        Protocol::ALL.into_iter().try_for_each(|protocol| {
            let path = format!("/proc/sys/net/bridge/bridge-nf-{}", protocol.call());
            let file = std::fs::File::options()
                .write(true)
                .truncate(true)
                .open(self.root.locate(&path));
            io::Write::write_all(&mut file?, b"0\n")
        })
    }

    /// A process makes rules: from now on a program prints this.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn rules(&self, which: Ruleset, printed: &str) -> io::Result<()> {
        let folder = self.root.locate("/run/accelnet/recorded");
        std::fs::create_dir_all(&folder)?;
        std::fs::create_dir_all(self.root.locate("/sys/module/nf_tables"))?;
        std::fs::write(folder.join(which.command().0), printed)
    }

    /// The policy of the chain `FORWARD` becomes `DROP` for IPv4, and these rules are in it.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn drop_forwarded(&self, rules: &str) -> io::Result<()> {
        self.rules(Ruleset::Nft, r#"{"nftables": []}"#)?;
        let chains = ":INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]";
        self.rules(
            Ruleset::Iptables,
            &format!("*filter\n{chains}\n{rules}\nCOMMIT\n"),
        )
    }
}
