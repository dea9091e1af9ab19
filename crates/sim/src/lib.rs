//! Nodes that never existed: generated sysfs trees and adapters with faults.
