//! Answers that lost something on their way: never a shorter list.

use super::*;

#[test]
fn an_answer_cut_anywhere_is_refused() {
    for (count, with_stats) in [(0, false), (1, true), (7, true), (127, true), (256, false)] {
        let (link, vfs) = adapter(count);
        let bytes = encode::link_answer(&link, &vfs, with_stats);
        for cut in 0..bytes.len() {
            assert!(
                vf_settings(&bytes[..cut]).is_err(),
                "{count} VFs cut at {cut}"
            );
        }
    }
}

/// Cuts the list at `length` bytes, and makes every length around it agree.
fn cut_list(bytes: &[u8], list: usize, length: usize) -> Vec<u8> {
    let mut bytes = bytes[..list + length].to_vec();
    bytes[list..list + 2].copy_from_slice(&(length as u16).to_ne_bytes());
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_ne_bytes());
    bytes
}

/// Where the list begins: behind the number of VFs.
fn list_start(bytes: &[u8], vfs: u32) -> usize {
    let number = [&[8, 0, 21, 0][..], &vfs.to_ne_bytes()].concat();
    let position = bytes.windows(8).position(|window| window == number);
    position.unwrap() + 8
}

#[test]
fn a_list_cut_anywhere_is_refused_even_where_its_lengths_agree() {
    let (link, vfs) = adapter(7);
    let bytes = encode::link_answer(&link, &vfs, true);
    let list = list_start(&bytes, 7);
    let whole = usize::from(u16::from_ne_bytes([bytes[list], bytes[list + 1]]));
    assert_eq!(whole, 4 + 7 * 296);
    for length in 4..whole {
        let result = vf_settings(&cut_list(&bytes, list, length));
        let got = (length - 4) / 296;
        let expected = match (length - 4) % 296 {
            // The kernel leaves out what a driver does not answer for.
            0 => Ok(vfs[..got].to_vec()),
            _ => Err(NetlinkError::CutShort {
                got: got as u32,
                expected: 7,
            }),
        };
        assert_eq!(result, expected);
    }
    let result = vf_settings(&cut_list(&bytes, list, whole));
    assert_eq!(result, Ok(vfs));
}

#[test]
fn vfs_that_the_driver_does_not_answer_for_are_left_out_and_no_other() {
    let (link, vfs) = adapter(8);
    for left_out in [0..1, 3..5, 7..8, 0..8] {
        let answered: Vec<VfSettings> = vfs
            .iter()
            .filter(|vf| !left_out.contains(&vf.index))
            .cloned()
            .collect();
        let bytes = encode::link_answer(&link, &answered, true);
        assert_eq!(vf_settings(&bytes), Ok(answered), "{left_out:?}");
    }
}

#[test]
fn vfs_out_of_order_or_beyond_the_number_are_refused() {
    let (link, vfs) = adapter(8);
    let beyond = VfSettings {
        index: 8,
        ..vfs[7].clone()
    };
    for wrong in [
        vec![vfs[1].clone(), vfs[0].clone()],
        vec![vfs[2].clone(), vfs[2].clone()],
        vec![beyond],
    ] {
        let result = vf_settings(&encode::link_answer(&link, &wrong, false));
        assert!(
            matches!(result, Err(NetlinkError::Malformed { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn the_error_states_how_many_of_how_many_arrived() {
    let (link, vfs) = adapter(256);
    let text = words(vf_settings(&encode::link_answer(&link, &vfs, true)));
    assert_eq!(
        text,
        "read the settings of all VFs: the kernel's answer holds 34 of 256, it was cut short"
    );
}

#[test]
fn a_list_longer_than_the_count_is_refused() {
    let (mut link, vfs) = adapter(8);
    link.vf_count = Some(3);
    assert_eq!(
        vf_settings(&encode::link_answer(&link, &vfs, false)),
        Err(NetlinkError::CutShort {
            got: 8,
            expected: 3
        })
    );
}

#[test]
fn the_overflow_of_the_lists_length_is_seen() {
    // With statistics a VF takes 296 bytes: 221 fit below 64 KiB, and 222 wrap around.
    for (count, got) in [(221, None), (222, Some(0)), (256, Some(34))] {
        let (link, vfs) = adapter(count);
        let result = vf_settings(&encode::link_answer(&link, &vfs, true));
        let expected = count as u32;
        match got {
            None => assert_eq!(result, Ok(vfs)),
            Some(got) => assert_eq!(result, Err(NetlinkError::CutShort { got, expected })),
        }
    }
}

#[test]
fn without_statistics_256_vfs_fit_and_so_do_334() {
    for count in [256, 334] {
        let (link, vfs) = adapter(count);
        assert_eq!(
            vf_settings(&encode::link_answer(&link, &vfs, false)),
            Ok(vfs)
        );
    }
    let (link, vfs) = adapter(335);
    assert!(vf_settings(&encode::link_answer(&link, &vfs, false)).is_err());
}

#[test]
fn a_list_before_its_count_and_strangers_in_it_are_refused() {
    let (_, vfs) = adapter(1);
    let early = answer(|body| {
        body.nest(IFLA_VFINFO_LIST, |_| {}).words(IFLA_NUM_VF, &[0]);
    });
    let stranger = answer(|body| {
        body.words(IFLA_NUM_VF, &[vfs.len() as u32 - 1])
            .nest(IFLA_VFINFO_LIST, |list| {
                list.words(9, &[0]);
            });
    });
    for bytes in [early, stranger] {
        let result = vf_settings(&bytes);
        assert!(
            matches!(result, Err(NetlinkError::Malformed { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn a_number_that_stands_there_twice_does_not_shorten_the_list() {
    let (link, vfs) = adapter(3);
    let mut bytes = encode::link_answer(&link, &vfs, false);
    bytes.extend([8, 0, 21, 0, 5, 0, 0, 0]);
    let total = bytes.len() as u32;
    bytes[..4].copy_from_slice(&total.to_ne_bytes());
    assert_eq!(
        vf_settings(&bytes),
        Err(NetlinkError::CutShort {
            got: 3,
            expected: 5
        })
    );
}
