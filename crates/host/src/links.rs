//! Links and VFs: asked of the kernel, or read from a copy of a node.

pub mod copied;

use std::io;
use std::path::Path;

use accelnet_model::adapter::EswitchMode;
use accelnet_model::link::{Channels, DriverInfo, Link};
use accelnet_model::vf::VfSettings;
use accelnet_model::{Mac, PciAddress};
use accelnet_netlink::{self as netlink, FdbEntry, NetlinkError, VfChange};

/// The link layer of a node.
pub trait Links {
    /// Whether these are links of a copy of a node.
    fn is_copy(&self) -> bool {
        false
    }

    /// The links of the observer's network namespace.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn links(&self) -> Result<Vec<Link>, NetlinkError>;

    /// The links of the network namespace behind `file`.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]; entering needs `CAP_SYS_ADMIN`.
    fn links_in(&self, file: &Path) -> Result<Vec<Link>, NetlinkError>;

    /// The settings of the VFs of `link`.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]; a list that was cut short is none.
    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError>;

    /// Changes a setting of VF `vf` of the link with that index; returns the driver's
    /// remark, if it made one.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn set_vf(&self, index: u32, vf: u32, change: VfChange)
    -> Result<Option<String>, NetlinkError>;

    /// Adds `mac` to the filter of the link with that index, or removes it: the link's adapter passes what is
    /// sent to it to the link, beside existing recipients. Whether the filter changed.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`]; not every adapter can.
    fn take_in(&self, index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError>;

    /// The forwarding entries of all bridges, and those in the filters of links.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError>;

    /// Has the bridge of the port with that index forget that it learned `mac` there, in `vlan` if that is
    /// not 0.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn unlearn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError>;

    /// Has the bridge of the port with that index take `mac` for learned there, in `vlan` if that is not 0.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn learn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError>;

    /// Whether the port with that index learns from what it receives.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn set_learning(&self, port: u32, on: bool) -> Result<(), NetlinkError>;

    /// ethtool's driver information.
    ///
    /// # Errors
    ///
    /// What the kernel answered.
    fn driver_info(&self, name: &str) -> io::Result<DriverInfo>;

    /// Queue counts; none where the driver has no control of them.
    ///
    /// # Errors
    ///
    /// What the kernel answered.
    fn channels(&self, name: &str) -> io::Result<Option<Channels>>;

    /// Mode of the embedded switch; none without one.
    ///
    /// # Errors
    ///
    /// See [`NetlinkError`].
    fn eswitch_mode(&self, address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError>;
}

/// The running kernel.
#[derive(Debug, Clone, Copy, Default)]
pub struct KernelLinks;

impl Links for KernelLinks {
    fn links(&self) -> Result<Vec<Link>, NetlinkError> {
        netlink::links()
    }

    fn links_in(&self, file: &Path) -> Result<Vec<Link>, NetlinkError> {
        netlink::links_in(file)
    }

    fn vf_settings(&self, link: &Link) -> Result<Vec<VfSettings>, NetlinkError> {
        netlink::vf_settings(link.index)
    }

    fn set_vf(
        &self,
        index: u32,
        vf: u32,
        change: VfChange,
    ) -> Result<Option<String>, NetlinkError> {
        netlink::set_vf(index, vf, change)
    }

    fn take_in(&self, index: u32, mac: Mac, on: bool) -> Result<bool, NetlinkError> {
        netlink::take_in(index, mac, on)
    }

    fn fdb(&self) -> Result<Vec<FdbEntry>, NetlinkError> {
        netlink::fdb()
    }

    fn unlearn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
        netlink::unlearn(port, mac, vlan)
    }

    fn learn(&self, port: u32, mac: Mac, vlan: u16) -> Result<(), NetlinkError> {
        netlink::learn(port, mac, vlan)
    }

    fn set_learning(&self, port: u32, on: bool) -> Result<(), NetlinkError> {
        netlink::set_learning(port, on)
    }

    fn driver_info(&self, name: &str) -> io::Result<DriverInfo> {
        netlink::driver_info(name)
    }

    fn channels(&self, name: &str) -> io::Result<Option<Channels>> {
        netlink::channels(name)
    }

    fn eswitch_mode(&self, address: PciAddress) -> Result<Option<EswitchMode>, NetlinkError> {
        netlink::eswitch_mode(address)
    }
}
