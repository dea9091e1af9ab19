//! The capability walker on arbitrary bytes: it neither panics nor loops, and says what
//! crate `pcics` says wherever the two can be compared.

#![no_main]

#[path = "../../crates/pci/tests/oracle/mod.rs"]
mod oracle;

use accelnet_pci::ConfigSpace;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let config = ConfigSpace::new(bytes);
    let _ = config.class();
    let _ = config.multifunction();
    let _ = config.bridge_numbers();
    let _ = config.msix();
    let _ = config.pci_express();
    let _ = config.sriov();
    let _ = config.acs();
    let _ = config.ari();
    let _ = config.aer();
    oracle::compare(bytes);
});
