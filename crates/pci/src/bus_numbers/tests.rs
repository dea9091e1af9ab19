use accelnet_model::adapter::BusNumbers;

use super::{Placement, Unplaced};

fn igb_like(vfs: u32, offset: u16, stride: u16) -> Placement {
    Placement {
        address: "0000:01:00.0".parse().expect("an address"),
        vfs,
        offset,
        stride,
    }
}

fn fits(needed: u16, available: u8, reachable_vfs: u16) -> Result<BusNumbers, Unplaced> {
    Ok(BusNumbers {
        needed,
        available,
        reachable_vfs,
    })
}

#[test]
fn vfs_on_the_adapters_own_bus() {
    assert_eq!(igb_like(7, 128, 2).bus_numbers(Some(1)), fits(1, 1, 7));
    assert_eq!(igb_like(7, 128, 2).bus_numbers(None), fits(1, 1, 7));
}

#[test]
fn vfs_that_cross_into_further_buses() {
    // 01:00.0 + 128 + 2 * 64 is 02:00.0; the last of 256 VFs is on bus 3.
    assert_eq!(igb_like(256, 128, 2).bus_numbers(Some(3)), fits(3, 3, 256));
    assert_eq!(igb_like(256, 128, 2).bus_numbers(Some(2)), fits(3, 2, 192));
    assert_eq!(igb_like(256, 128, 2).bus_numbers(Some(1)), fits(3, 1, 64));
    assert_eq!(igb_like(8, 384, 4).bus_numbers(Some(1)), fits(2, 1, 0));
}

#[test]
fn a_root_bus_has_no_known_end() {
    let crossing = igb_like(256, 128, 2);
    assert_eq!(crossing.bus_numbers(None), Err(Unplaced::RootBus));
}

#[test]
fn routing_ids_past_the_last_do_not_wrap() {
    let far = igb_like(u32::from(u16::MAX), u16::MAX, u16::MAX);
    assert_eq!(far.bus_numbers(Some(255)), fits(u16::MAX, 255, 0));
    let last = Placement {
        address: "0000:ff:1f.7".parse().expect("an address"),
        ..igb_like(1, 1, 1)
    };
    assert_eq!(last.bus_numbers(Some(255)), fits(256, 255, 0));
}

#[test]
fn firmware_that_places_nothing() {
    assert_eq!(
        igb_like(7, 0, 2).bus_numbers(Some(1)),
        Err(Unplaced::NoOffset)
    );
    assert_eq!(
        igb_like(7, 128, 0).bus_numbers(Some(1)),
        Err(Unplaced::NoStride)
    );
    assert_eq!(igb_like(1, 128, 0).bus_numbers(Some(1)), fits(1, 1, 1));
    assert_eq!(igb_like(0, 0, 0).bus_numbers(Some(1)), fits(1, 1, 0));
}
