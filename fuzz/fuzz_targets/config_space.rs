//! The capability walker on arbitrary bytes, and on a sound configuration space that those
//! bytes wreck: it neither panics nor loops, and says what crate `pcics` says wherever the
//! two can be compared.
#![no_main]

#[path = "../../crates/pci/tests/oracle/mod.rs"]
mod oracle;

use accelnet_pci::ConfigSpace;
use accelnet_sim::ConfigBuilder;
use accelnet_sim::config::{Express, Sriov};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    walk(bytes);
    walk(&wrecked(bytes));
});

fn walk(bytes: &[u8]) {
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
}

/// A space with everything that is decoded, overwritten three bytes at a time: where, and
/// with what.
fn wrecked(bytes: &[u8]) -> Vec<u8> {
    let (changes, _) = bytes.as_chunks::<3>();
    changes
        .iter()
        .fold(sound(), |config, &[low, high, byte]| {
            config.overwrite(u16::from_le_bytes([low, high]) & 0xfff, &[byte])
        })
        .build()
}

fn sound() -> ConfigBuilder {
    let express = Express {
        port_type: 0,
        speed: 3,
        lanes: 8,
        slot: None,
        ari_forwarding: false,
    };
    let sriov = Sriov {
        control: 0b1_1001,
        initial_vfs: 8,
        total_vfs: 8,
        num_vfs: 2,
        offset: 128,
        stride: 2,
        vf_device: 0x10ca,
        page_sizes: 0x553,
        bars: [0xc, 0, 0, 0xc, 0, 0],
    };
    ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000)
        .capability(0x40, 0x01, &[0; 6])
        .msix(0x70, 10, true)
        .express(0xa0, &express)
        .aer(0x100)
        .acs(0x148, 0x1d, 0x1d)
        .ari(0x150, 0)
        .sriov(0x160, &sriov)
}
