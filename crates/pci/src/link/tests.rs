use accelnet_model::adapter::{PcieLink, PcieRate};

use super::{megatransfers, read};
use crate::root::Root;

/// A root whose only device has these speeds and widths, at most and now.
fn link(max: (&str, &str), current: (&str, &str)) -> Result<Option<PcieLink>, String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (which, (speed, width)) in [("max", max), ("current", current)] {
        for (what, value) in [("speed", speed), ("width", width)] {
            if value != "-" {
                let path = folder.path().join(format!("{which}_link_{what}"));
                std::fs::write(path, format!("{value}\n")).expect("a file");
            }
        }
    }
    read(&Root::new(folder.path()), "").map_err(|error| error.to_string())
}

const fn rate(megatransfers: u32, lanes: u8) -> PcieRate {
    PcieRate {
        megatransfers,
        lanes,
    }
}

#[test]
fn speeds_of_every_generation() {
    let speeds = ["2.5", "5.0", "8.0", "16.0", "32.0", "64.0"];
    let found = speeds.map(|speed| megatransfers(&format!("{speed} GT/s PCIe")));
    let expected = [2_500, 5_000, 8_000, 16_000, 32_000, 64_000];
    assert_eq!(found, expected.map(Some));
    assert_eq!(megatransfers("8 GT/s"), Some(8_000), "before kernel 5.8");
    assert_eq!(megatransfers("66 MHz PCI"), None);
}

#[test]
fn a_link_that_runs_below_what_it_can() {
    let found = link(("16.0 GT/s PCIe", "16"), ("8.0 GT/s PCIe", "8"));
    let expected = PcieLink {
        current: Some(rate(8_000, 8)),
        max: rate(16_000, 16),
    };
    assert_eq!(found, Ok(Some(expected)));
}

#[test]
fn links_that_are_none() {
    assert_eq!(link(("-", "-"), ("-", "-")), Ok(None));
    assert_eq!(link(("Unknown", "255"), ("Unknown", "0")), Ok(None));
    let integrated = link(("2.5 GT/s PCIe", "1"), ("Unknown", "0"));
    let found = integrated.expect("readable").expect("a link");
    assert_eq!(found.current, None);
}

#[test]
fn what_is_no_speed_is_named() {
    let found = link(("fast", "1"), ("fast", "1"));
    assert_eq!(
        found,
        Err("\"fast\" where a link speed should be reading /max_link_speed".to_owned())
    );
}
