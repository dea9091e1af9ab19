//! A VM that comes from another node, from libvirt's first word about it until its QEMU starts here.
//!
//! libvirt sets the MAC of its VF before that, and then the adapter sends to the VF what VMs of this node send to
//! a VM that still runs on the other. A QEMU can take seconds to start, so the MAC is removed at once; the agent
//! sets it when the VM has arrived. Without an agent it stays.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use accelnet_libvirt::xml::DomainXml;
use accelnet_model::hook_config::{FOLDER, coming_file};
use accelnet_model::{Mac, Uuid};
use accelnet_netlink::VfChange;
use accelnet_pci::Root;

use super::files::Files;
use super::{Edge, Operation};

/// Where an agent listens that sets the MAC again.
const AGENT: &str = "/run/accelnet/agent.sock";

/// Notes that the VM of that definition comes. One that accelnet does not manage is left alone.
///
/// # Errors
///
/// The note cannot be written, in words.
pub fn note(root: &Root, domain: &DomainXml<'_>) -> Result<(), String> {
    let Some((uuid, path)) = subject(root, domain) else {
        return Ok(());
    };
    let files = Files::of(root, uuid.as_str());
    if !matches!(files.map(|files| files.config()), Some(Ok(Some(_)))) {
        return Ok(());
    }
    fs::write(&path, "").map_err(|error| format!("failed to write {}: {error}", path.display()))
}

/// Removes the MAC from the VF of a VM that comes, before its QEMU starts, if an agent is there to set it again.
///
/// # Errors
///
/// The MAC could not be removed, in words.
pub fn remove_mac(edge: &Edge<'_>, xml: &str) -> Result<(), String> {
    if UnixStream::connect(edge.root.locate(AGENT)).is_err() {
        return Ok(());
    }
    let outcome = DomainXml::parse(xml)
        .ok()
        .and_then(|domain| subject(edge.root, &domain))
        .and_then(|(uuid, _)| Files::of(edge.root, uuid.as_str()))
        .and_then(|files| files.outcome().ok().flatten())
        .filter(|outcome| outcome.operation == Operation::Created.word());
    let Some((Some(pf), Some(index))) = outcome.map(|outcome| (outcome.pf, outcome.index)) else {
        return Ok(());
    };
    let links = edge.links.links().map_err(|error| error.to_string())?;
    let Some(link) = links.iter().find(|link| link.name == pf) else {
        return Ok(());
    };
    let removed = edge
        .links
        .set_vf(link.index, index, VfChange::Mac(Mac::ZERO));
    removed.map(drop).map_err(|error| error.to_string())
}

/// Removes the note of a VM that starts, or that did not come after all; whether there was one.
pub fn forget(root: &Root, xml: &str) -> bool {
    let noted = DomainXml::parse(xml)
        .ok()
        .and_then(|domain| subject(root, &domain));
    noted.is_some_and(|(_, path)| fs::remove_file(path).is_ok())
}

/// The VM of a definition, and where its note lies.
fn subject(root: &Root, domain: &DomainXml<'_>) -> Option<(Uuid, PathBuf)> {
    let uuid = domain.uuid()?;
    let path = coming_file(&root.locate(FOLDER), &uuid);
    Some((uuid, path))
}
