use accelnet_sim::ConfigBuilder;
use accelnet_sim::config::Sriov;

use super::{Breakage, ConfigSpace, Incomplete, Msix};

const MSIX: Msix = Msix {
    vectors: 10,
    enabled: true,
};

fn endpoint() -> ConfigBuilder {
    ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000)
}

fn broken<T>(at: u16, how: Breakage) -> Result<T, Incomplete> {
    Err(Incomplete::Broken { at, how })
}

#[test]
fn absent_and_unreadable_are_different_answers() {
    let whole = endpoint().msix(0x70, 10, true).aer(0x100).build();
    let config = ConfigSpace::new(whole.as_slice());
    assert_eq!(config.msix(), Ok(Some(MSIX)));
    assert_eq!(config.sriov(), Ok(None));

    let header = ConfigSpace::new(&whole[..64]);
    let truncated = Incomplete::Truncated { read: 64 };
    assert_eq!(header.msix(), Err(truncated.clone()));
    assert_eq!(header.sriov(), Err(truncated.clone()));
    assert_eq!(header.class(), Ok(0x02_0000));
    assert_eq!(
        truncated.to_string(),
        "only the first 64 bytes of the configuration space may be read (needs root)"
    );
}

#[test]
fn a_header_shows_by_itself_that_there_is_no_list() {
    let whole = endpoint().build();
    assert_eq!(ConfigSpace::new(&whole[..64]).msix(), Ok(None));
}

#[test]
fn a_space_of_256_bytes() {
    let conventional = endpoint().msix(0x70, 10, true).build();
    let config = ConfigSpace::new(&conventional[..256]);
    assert_eq!(config.sriov(), Ok(None), "conventional PCI ends there");

    let express = endpoint().capability(0x40, 0x10, &[0x02; 4]).build();
    let config = ConfigSpace::new(&express[..256]);
    assert_eq!(config.sriov(), Err(Incomplete::NoExtendedSpace));
}

#[test]
fn a_device_that_is_gone_reads_as_all_ones() {
    let gone = [0xff; 4096];
    let config = ConfigSpace::new(gone.as_slice());
    assert_eq!(config.msix(), Err(Incomplete::NoAnswer));
    assert_eq!(config.sriov(), Err(Incomplete::NoAnswer));

    let partly = endpoint().overwrite(0x100, &[0xff; 4]).build();
    let config = ConfigSpace::new(partly.as_slice());
    assert_eq!(config.sriov(), broken(0x100, Breakage::Void));
}

#[test]
fn what_lies_before_a_loop_is_found() {
    let looping = endpoint()
        .msix(0x70, 10, true)
        .capability(0x40, 0x01, &[])
        .overwrite(0x41, &[0x70])
        .build();
    let config = ConfigSpace::new(looping.as_slice());
    assert_eq!(config.msix(), Ok(Some(MSIX)));
    assert_eq!(config.pci_express(), broken(0x40, Breakage::Loop));
    assert_eq!(config.capabilities().found.len(), 2);

    let looping = endpoint()
        .aer(0x100)
        .overwrite(0x102, &[0x01, 0x10])
        .build();
    let config = ConfigSpace::new(looping.as_slice());
    assert_eq!(config.aer(), Ok(true));
    assert_eq!(config.acs(), broken(0x100, Breakage::Loop));
}

#[test]
fn pointers_into_the_header() {
    let bad = endpoint()
        .msix(0x70, 10, true)
        .overwrite(0x34, &[0x10])
        .build();
    let config = ConfigSpace::new(bad.as_slice());
    assert_eq!(config.msix(), broken(0x34, Breakage::IntoHeader));

    let bad = endpoint()
        .aer(0x100)
        .overwrite(0x102, &[0x01, 0x04])
        .build();
    let config = ConfigSpace::new(bad.as_slice());
    assert_eq!(config.acs(), broken(0x100, Breakage::IntoHeader));
}

#[test]
fn capabilities_that_do_not_fit() {
    let bad = endpoint().capability(0xf8, 0x11, &[]).build();
    let config = ConfigSpace::new(bad.as_slice());
    assert_eq!(config.msix(), broken(0xf8, Breakage::PastEnd));

    let bad = endpoint().extended(0xff0, 0x10, 1, &[]).build();
    let config = ConfigSpace::new(bad.as_slice());
    assert_eq!(config.sriov(), broken(0xff0, Breakage::PastEnd));
}

#[test]
fn sriov_register_by_register() {
    let bytes = endpoint()
        .sriov(
            0x160,
            &Sriov {
                control: 0b1_1001,
                initial_vfs: 1,
                total_vfs: 2,
                num_vfs: 3,
                offset: 4,
                stride: 5,
                vf_device: 6,
                page_sizes: 7,
                bars: [8, 9, 10, 11, 12, 13],
            },
        )
        .build();
    let found = ConfigSpace::new(bytes.as_slice()).sriov();
    let found = found.expect("readable").expect("there");
    assert!(found.enabled && found.memory_enabled && found.ari_hierarchy);
    assert_eq!(
        (found.initial_vfs, found.total_vfs, found.num_vfs),
        (1, 2, 3)
    );
    assert_eq!((found.offset, found.stride, found.vf_device), (4, 5, 6));
    assert_eq!(found.page_sizes, 7);
    assert_eq!(found.bars, [8, 9, 10, 11, 12, 13]);
}
