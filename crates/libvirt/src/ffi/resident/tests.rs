use super::*;

const MAPS: &str = "\
55d0a0000000-55d0a0100000 r-xp 00001000 fe:00 1234                       /usr/bin/program
Size:               1024 kB
Rss:                 800 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
55d0a0100000-55d0a0110000 r--p 00101000 fe:00 1234                       /usr/bin/program
Size:                 64 kB
Anonymous:            64 kB
55d0a0110000-55d0a0120000 rw-p 00111000 fe:00 1234                       /usr/bin/program
Size:                 64 kB
Anonymous:             0 kB
7f0000000000-7f0000021000 rw-p 00000000 00:00 0
Anonymous:             8 kB
7f0000100000-7f0000200000 r--s 00000000 fe:00 77                         /usr/share/a file
Anonymous:             0 kB
7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]
Anonymous:             0 kB
";

#[test]
fn what_is_of_a_file_and_unchanged_is_found() {
    let found = untouched(MAPS);
    assert_eq!(
        found,
        [
            0x55d0_a000_0000..0x55d0_a010_0000,
            0x7f00_0010_0000..0x7f00_0020_0000
        ]
    );
    assert_eq!(untouched(""), []);
}

#[test]
fn a_process_that_gave_back_goes_on() {
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/status").expect("a status");
        let line = text.lines().find_map(|line| line.strip_prefix("RssFile:"));
        let kib = line.and_then(|line| line.split_ascii_whitespace().next());
        kib.expect("a figure").parse::<u64>().expect("a number")
    };
    let before = resident();
    give_back();
    let after = resident();
    assert!(after < before, "{before} KiB, then {after}");
}
