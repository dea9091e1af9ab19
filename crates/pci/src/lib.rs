//! PCI capabilities and topology, read over a sysfs root.
