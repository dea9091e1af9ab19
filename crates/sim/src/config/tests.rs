use super::ConfigBuilder;

#[test]
fn capabilities_are_chained_in_their_order() {
    let bytes = ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000)
        .capability(0x70, 0x11, &[])
        .capability(0x40, 0x01, &[])
        .build();
    assert_eq!(bytes[0x06], 0x10, "status says that there is a list");
    assert_eq!(bytes[0x34], 0x70);
    assert_eq!(bytes[0x70..0x72], [0x11, 0x40]);
    assert_eq!(bytes[0x40..0x42], [0x01, 0x00]);
}

#[test]
fn extended_capabilities_begin_at_the_start_of_their_space() {
    let bytes = ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000)
        .extended(0x100, 0x01, 2, &[])
        .extended(0x140, 0x0d, 1, &[1, 2, 3, 4])
        .build();
    assert_eq!(bytes[0x100..0x104], [0x01, 0, 0x02, 0x14]);
    assert_eq!(bytes[0x140..0x148], [0x0d, 0, 0x01, 0x00, 1, 2, 3, 4]);

    let led_there = ConfigBuilder::function(0x8086, 0x10c9, 0x02_0000)
        .extended(0x140, 0x0d, 1, &[])
        .build();
    assert_eq!(led_there[0x100..0x104], [0, 0, 0, 0x14]);
}

#[test]
fn nothing_is_written_past_the_end() {
    let bytes = ConfigBuilder::virtual_function()
        .extended(0xffc, 0x0d, 1, &[1, 2, 3, 4])
        .build();
    assert_eq!(bytes.len(), 4096);
    assert_eq!(bytes[0xffc], 0x0d);
}
