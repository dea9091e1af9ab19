//! The node around an adapter.

use accelnet_model::platform::{Architecture, Iommu};
use accelnet_model::{Adapter, Node};

/// What is around an adapter, as far as its rows depend on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) node: &'a str,
    pub(super) architecture: Architecture,
    /// The kernel parameter that forces IOMMU groups.
    pub(super) forced: Option<&'a str>,
    /// The adapters of the node.
    pub(super) adapters: &'a [Adapter],
    /// Whether IOMMU groups are those of an IOMMU.
    pub(super) has_iommu: bool,
    /// Whether the node is known to have such groups.
    pub(super) has_groups: bool,
}

impl<'a> Surroundings<'a> {
    pub(super) fn of(node: &'a Node) -> Self {
        let mut parameters = node.platform.kernel_parameters.iter();
        Surroundings {
            node: node.display_name(),
            architecture: node.platform.architecture,
            forced: parameters
                .find(|parameter| parameter.starts_with("pcie_acs_override="))
                .map(String::as_str),
            adapters: node.adapters.known().map_or(&[], Vec::as_slice),
            has_iommu: node.platform.iommu.known().is_none_or(Iommu::is_on),
            has_groups: node.platform.iommu.known().is_some_and(Iommu::is_on),
        }
    }
}
