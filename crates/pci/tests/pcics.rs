//! The capability walker against crate `pcics`: on configuration spaces captured from
//! QEMU's devices, and on generated ones.

mod oracle;

use std::fs;
use std::path::Path;

use accelnet_sim::ConfigBuilder;
use oracle::{Compared, compare};
use proptest::prelude::*;

/// Where the lab keeps what it captured with `lspci -xxxx`.
const CAPTURED: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../lab/fixtures/config-space"
);

/// The bytes of a file of lines like `100: 01 00 01 15`.
fn captured(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).expect("a readable file");
    let lines = text.lines().filter_map(|line| line.split_once(": "));
    let bytes = lines.flat_map(|(_, bytes)| bytes.split_whitespace());
    bytes
        .map(|byte| u8::from_str_radix(byte, 16).expect("two hexadecimal digits"))
        .collect()
}

#[test]
fn equal_on_every_captured_space() {
    let files = fs::read_dir(CAPTURED).expect("captured configuration spaces");
    let mut total = 0;
    for file in files {
        let path = file.expect("an entry").path();
        let bytes = captured(&path);
        assert_eq!(bytes.len(), 4096, "{}", path.display());
        let compared = compare(&bytes);
        assert!(compared.decoded > 0, "{}: {compared:?}", path.display());
        total += compared.capabilities;
    }
    assert!(total > 0, "no captured configuration spaces in {CAPTURED}");
}

/// A capability somewhere in the list: id, registers after the header, bytes left free
/// before it.
type Generated<Id> = (Id, Vec<u8>, usize);

fn conventional() -> impl Strategy<Value = Generated<u8>> {
    let any_body = |bytes| prop::collection::vec(any::<u8>(), bytes);
    let id_and_body = prop_oneof![
        any_body(0x3a).prop_map(|body| (0x10, body)),
        any_body(0x0a).prop_map(|body| (0x11, body)),
        (0x16..0xff_u8, any_body(6)),
        (Just(0x01), any_body(6)),
        (Just(0x00), any_body(2)),
    ];
    (id_and_body, 0..3_usize).prop_map(|((id, body), gap)| (id, body, gap * 4))
}

fn extended() -> impl Strategy<Value = Generated<u16>> {
    let any_body = |bytes| prop::collection::vec(any::<u8>(), bytes);
    let id_and_body = prop_oneof![
        any_body(0x3c).prop_map(|body| (0x10, body)),
        any_body(4).prop_map(|body| (0x0d, body)),
        any_body(4).prop_map(|body| (0x0e, body)),
        any_body(0x44).prop_map(|body| (0x01, body)),
        any_body(8).prop_map(|body| (0x03, body)),
        (0x35..0xfff0_u16, any_body(0x1c)),
    ];
    (id_and_body, 0..20_usize).prop_map(|((id, body), gap)| (id, body, gap * 4))
}

/// Gives every capability its place between `start` and `end`; those for which there is
/// none left are dropped.
fn placed<Id>(
    capabilities: Vec<Generated<Id>>,
    start: usize,
    end: usize,
) -> Vec<(usize, Id, Vec<u8>)> {
    let mut free = start;
    let mut placed = Vec::new();
    for (id, body, gap) in capabilities {
        let at = free + gap;
        let size = body.len().next_multiple_of(4) + 4;
        if at + size <= end {
            placed.push((at, id, body));
            free = at + size;
        }
    }
    placed
}

prop_compose! {
    /// A space with both lists, each chained in another order than it lies in.
    fn well_formed()(
        conventional in prop::collection::vec(conventional(), 0..8),
        extended in prop::collection::vec(extended(), 0..16),
    )(
        conventional in Just(placed(conventional, 0x40, 0x100)).prop_shuffle(),
        extended in Just(placed(extended, 0x104, 0x1000)).prop_shuffle(),
        version in 0..16_u8,
        bridge in any::<bool>(),
    ) -> (usize, Vec<u8>) {
        let count = conventional.len() + extended.len();
        let config = match bridge {
            true => ConfigBuilder::bridge(0x1b36, 0x000c, [0, 1, 2]),
            false => ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000),
        };
        let config = conventional.into_iter().fold(config, |config, (at, id, body)| {
            config.capability(u8::try_from(at).expect("below 256"), id, &body)
        });
        let config = extended.into_iter().fold(config, |config, (at, id, body)| {
            config.extended(u16::try_from(at).expect("below 4096"), id, version, &body)
        });
        (count, config.build())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn equal_on_generated_spaces((count, bytes) in well_formed()) {
        let Compared { capabilities, .. } = compare(&bytes);
        // An extended list begins with an empty capability that leads to the first.
        let led = usize::from(bytes[0x100..0x104] != [0; 4]);

        prop_assert_eq!(capabilities, count + led);
    }

    #[test]
    fn any_bytes_are_walked_to_an_end(bytes in prop::collection::vec(any::<u8>(), 0..5_000)) {
        compare(&bytes);
    }
}
