//! Virtual networks.

use std::collections::BTreeSet;

use super::Control;
use crate::ffi::{Connection, Failure, NetworkHandle, WhichNetworks};
use crate::xml::NetworkXml;
use crate::{LibvirtError, VirtualNetwork};

impl Control {
    /// The virtual networks, by name. One that disappears meanwhile is left out.
    pub fn networks(&self) -> Result<Vec<VirtualNetwork>, LibvirtError> {
        self.call(|connection| {
            let say = |failure: Failure| failure.doing("list its networks");
            let mut networks = Vec::new();
            let all = connection.networks(WhichNetworks::All).map_err(say)?;
            let active = uuids(connection, WhichNetworks::Active).map_err(say)?;
            let persistent = uuids(connection, WhichNetworks::Persistent).map_err(say)?;
            let autostarted = uuids(connection, WhichNetworks::Autostarted).map_err(say)?;
            for handle in all {
                let read = || -> Result<_, Failure> {
                    let uuid = handle.uuid()?;
                    Ok(VirtualNetwork {
                        name: handle.name()?,
                        active: active.contains(&uuid),
                        persistent: persistent.contains(&uuid),
                        autostart: autostarted.contains(&uuid),
                        uuid,
                        xml: handle.xml()?,
                    })
                };
                match read() {
                    Ok(network) => networks.push(network),
                    Err(failure) if failure.is_no_network() => {}
                    Err(failure) => return Err(say(failure)),
                }
            }
            networks.sort_by(|a, b| a.name.cmp(&b.name));
            Ok(networks)
        })
    }

    /// The XML of a network: of an active one what runs.
    pub fn network_xml(&self, name: &str) -> Result<String, LibvirtError> {
        let name = name.to_owned();
        self.call(move |connection| {
            let xml = connection.network(&name).and_then(|network| network.xml());
            xml.map_err(|failure| failure.doing("show the network"))
        })
    }

    /// Defines a network, or changes its definition.
    pub fn define_network(&self, xml: &str, autostart: bool) -> Result<(), LibvirtError> {
        let xml = xml.to_owned();
        self.call(move |connection| {
            let define = || {
                let parsed = NetworkXml::parse(&xml).ok();
                let known = match parsed.as_ref().and_then(NetworkXml::name) {
                    Some((name, false)) => match connection.network(&name) {
                        Ok(network) => Some(network.uuid()?),
                        Err(failure) if failure.is_no_network() => None,
                        Err(failure) => return Err(failure),
                    },
                    _ => None,
                };
                let network = match parsed.zip(known) {
                    Some((parsed, uuid)) => connection.define_network(&parsed.with_uuid(&uuid))?,
                    None => connection.define_network(&xml)?,
                };
                network.set_autostart(autostart)
            };
            define().map_err(|failure: Failure| failure.doing("define the network"))
        })
    }

    /// Starts a network; one that runs is left as it is.
    pub fn start_network(&self, name: &str) -> Result<(), LibvirtError> {
        let name = name.to_owned();
        self.call(move |connection| {
            let start = || {
                let network = connection.network(&name)?;
                match network.is_active()? {
                    true => Ok(()),
                    false => network.create(),
                }
            };
            start().map_err(|failure: Failure| failure.doing("start the network"))
        })
    }

    /// Stops a network; one that does not run or exist is no error.
    pub fn stop_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.on_network(name, "stop the network", |network| {
            match network.is_active()? {
                true => network.destroy(),
                false => Ok(()),
            }
        })
    }

    /// Removes the definition of a network; one that does not exist is no error.
    pub fn remove_network(&self, name: &str) -> Result<(), LibvirtError> {
        self.on_network(name, "remove the network", |network| {
            match network.is_persistent()? {
                true => network.undefine(),
                false => Ok(()),
            }
        })
    }

    /// Does something to a network that may be gone.
    fn on_network(
        &self,
        name: &str,
        doing: &'static str,
        act: fn(&NetworkHandle) -> Result<(), Failure>,
    ) -> Result<(), LibvirtError> {
        let name = name.to_owned();
        self.call(move |connection: &Connection| {
            match connection.network(&name).and_then(|network| act(&network)) {
                Err(failure) if !failure.is_no_network() => Err(failure.doing(doing)),
                _ => Ok(()),
            }
        })
    }
}

fn uuids(connection: &Connection, which: WhichNetworks) -> Result<BTreeSet<String>, Failure> {
    let networks = connection.networks(which)?;
    networks.iter().map(NetworkHandle::uuid).collect()
}
