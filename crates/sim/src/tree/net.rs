//! Links that no device is behind, and what becomes of those that one is behind: bridges,
//! taps, ports, link and carrier.

use std::fmt::Display;
use std::io;

use accelnet_model::Mac;
use accelnet_model::link::BondMode;

use super::SimNode;
use super::function::flags;

/// A link that software made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SoftLink {
    /// A bridge.
    Bridge,
    /// The host's end of a vNIC.
    Tap,
    /// A bond in this mode, without a port.
    Bond(BondMode),
}

impl SimNode {
    /// Makes a link that no device is behind; it is down.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn add_link(&self, kind: SoftLink, name: &str, mac: Mac, mtu: u32) -> io::Result<u32> {
        let here = format!("sys/devices/virtual/net/{name}");
        let index = self.next_index();
        self.folder.attribute(&format!("{here}/address"), mac)?;
        // NET_ADDR_SET: nothing is burned in.
        self.folder
            .attribute(&format!("{here}/addr_assign_type"), 3)?;
        self.folder.attribute(&format!("{here}/ifindex"), index)?;
        self.folder.attribute(&format!("{here}/mtu"), mtu)?;
        self.folder
            .attribute(&format!("{here}/flags"), flags(false))?;
        match kind {
            SoftLink::Bridge => self.folder.make(&format!("{here}/bridge"))?,
            SoftLink::Tap => self
                .folder
                .attribute(&format!("{here}/tun_flags"), "0x1002")?,
            SoftLink::Bond(mode) => {
                let number = mode.number();
                self.folder
                    .attribute(&format!("{here}/bonding/mode"), format!("{mode} {number}"))?;
                self.folder
                    .attribute(&format!("{here}/bonding/active_slave"), "")?;
            }
        }
        self.folder.link(&format!("sys/class/net/{name}"), &here)?;
        Ok(index)
    }

    /// Takes a link away that no device is behind.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn remove_link(&self, name: &str) -> io::Result<()> {
        self.folder.remove_link(&format!("sys/class/net/{name}"))?;
        self.folder
            .remove(&format!("sys/devices/virtual/net/{name}"))
    }

    /// Whether there is a link called `name`.
    pub fn has_link(&self, name: &str) -> bool {
        self.folder.exists(&format!("sys/class/net/{name}"))
    }

    /// Makes a link a port of `master`, or of no bridge.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn set_master(&self, name: &str, master: Option<&str>) -> io::Result<()> {
        let place = std::fs::read_link(self.folder.root().join("sys/class/net").join(name))?;
        let place = place.to_string_lossy();
        let here = format!("sys/{}/master", place.trim_start_matches("../"));
        if self.folder.exists(&here) {
            self.folder.remove_link(&here)?;
        }
        match master {
            Some(master) => self
                .folder
                .link(&here, &format!("sys/devices/virtual/net/{master}")),
            None => Ok(()),
        }
    }

    /// Changes an attribute of a link.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn set_attribute(&self, link: &str, name: &str, value: impl Display) -> io::Result<()> {
        self.folder
            .attribute(&format!("sys/class/net/{link}/{name}"), value)
    }

    /// Brings a link up or down; `speed` in Mb/s is what it has then, none without carrier.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn set_up(&self, link: &str, up: bool, speed: Option<u32>) -> io::Result<()> {
        self.set_attribute(link, "flags", flags(up))?;
        self.set_attribute(link, "carrier", u8::from(up && speed.is_some()))?;
        match speed.filter(|_| up) {
            Some(speed) => self.set_attribute(link, "speed", speed),
            None => self.set_attribute(link, "speed", -1),
        }
    }

    /// What an adapter's netdev runs at, in Mb/s and none without a cable; nothing for a link
    /// that no adapter is behind.
    pub fn speed_of(&self, netdev: &str) -> Option<Option<u32>> {
        let mut placed = self.placed.iter();
        let placed = placed.find(|placed| placed.spec.netdev == netdev)?;
        Some(placed.spec.speed)
    }

    /// Pulls the cable of an adapter, or plugs one in with that speed in Mb/s.
    ///
    /// # Errors
    ///
    /// When the tree cannot be written.
    pub fn cable(&mut self, netdev: &str, speed: Option<u32>) -> io::Result<()> {
        let mut placed = self.placed.iter_mut();
        if let Some(placed) = placed.find(|placed| placed.spec.netdev == netdev) {
            placed.spec.speed = speed;
        }
        self.set_up(netdev, true, speed)
    }

    /// Above all indexes that are taken.
    fn next_index(&self) -> u32 {
        let names = std::fs::read_dir(self.folder.root().join("sys/class/net"));
        let index = |name: &str| {
            let text = self.folder.read(&format!("sys/class/net/{name}/ifindex"));
            text.ok()?.parse::<u32>().ok()
        };
        let taken = names.into_iter().flatten().filter_map(|entry| {
            let name = entry.ok()?.file_name();
            index(name.to_str()?)
        });
        taken.max().unwrap_or(1).max(100_000) + 1
    }
}
