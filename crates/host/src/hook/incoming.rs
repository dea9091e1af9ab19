//! A VM that comes from another node, before libvirt makes anything ready for it.

use std::collections::BTreeMap;

use accelnet_libvirt::xml::DomainXml;
use accelnet_model::IntentName;
use accelnet_model::hook_config::{POOLS, Pool, pool_file};
use accelnet_pci::Root;

/// The definition of a VM that comes, with a vNIC in the place of its VF where no VF is free here;
/// none where it can come as it is.
///
/// libvirt refuses a VM for which its pool has no VF. Of two that come at the same moment for the
/// last one, the second is refused.
pub fn serve(root: &Root, domain: &DomainXml<'_>) -> Option<String> {
    let mut left: BTreeMap<String, (Pool, usize)> = BTreeMap::new();
    domain.with_stand_ins(|vnic| {
        let name = vnic.source.as_deref()?;
        if !left.contains_key(name) {
            let pool = read(root, name)?;
            let free = pool.vfs.iter().filter(|vf| is_free(root, vf)).count();
            left.insert(name.to_owned(), (pool, free));
        }
        let (pool, free) = left.get_mut(name)?;
        match free.checked_sub(1) {
            Some(less) => {
                *free = less;
                None
            }
            None => Some(pool.network.clone()),
        }
    })
}

/// The pool as the agent left it; none of a pool that is not accelnet's.
fn read(root: &Root, name: &str) -> Option<Pool> {
    let intent = IntentName::of_pool(name)?;
    let text = super::files::capped(&pool_file(&root.locate(POOLS), &intent)).ok()?;
    serde_json::from_slice(&text).ok()
}

/// libvirt binds the VFs of VMs to vfio-pci, and takes them off it again.
fn is_free(root: &Root, vf: &accelnet_model::PciAddress) -> bool {
    let folder = format!("/sys/bus/pci/devices/{vf}");
    let driver = root.link_name(&format!("{folder}/driver"));
    root.exists(&folder) && driver.is_ok_and(|driver| driver.as_deref() != Some("vfio-pci"))
}
