use super::*;

fn table(width: Option<u16>) -> Table {
    let mut table = Table::new(&["CHECK", "SINCE", "FOUND"], false, width);
    table.row(["iommu", "2026-11-22T10:00:00Z", "14 groups"]);
    table.row([
        "acs",
        "-",
        "bridge 0000:00:01.0 has no ACS, and is above 0000:01:00.0",
    ]);
    table
}

#[test]
fn a_table_without_a_width_has_a_line_for_each_row() {
    assert_eq!(
        table(None).text(),
        "CHECK  SINCE                 FOUND\n\
         iommu  2026-11-22T10:00:00Z  14 groups\n\
         acs    -                     bridge 0000:00:01.0 has no ACS, and is above 0000:01:00.0\n"
    );
}

#[test]
fn a_narrow_table_is_wrapped_between_words_only() {
    assert_eq!(
        table(Some(60)).text(),
        "CHECK  SINCE                 FOUND\n\
         iommu  2026-11-22T10:00:00Z  14 groups\n\
         acs    -                     bridge 0000:00:01.0 has no ACS,\n                             \
         and is above 0000:01:00.0\n"
    );
    for width in 0..100 {
        let text = table(Some(width)).text();
        for word in [
            "2026-11-22T10:00:00Z",
            "0000:00:01.0",
            "0000:01:00.0",
            "iommu",
        ] {
            assert!(text.contains(word), "{width}: {text}");
        }
        if width >= 43 {
            let wide = text.lines().map(columns).max();
            assert!(wide <= Some(usize::from(width)), "{width}: {text}");
        }
    }
}

#[test]
fn wide_characters_and_colours_do_not_move_columns() {
    let mut table = Table::new(&["VM", "STATE"], true, Some(80));
    table.toned([("\u{6771}\u{4eac}", Tone::Plain), ("up", Tone::Good)]);
    table.toned([("web01", Tone::Bad), ("", Tone::Good)]);
    assert_eq!(
        table.text(),
        "VM     STATE\n\u{6771}\u{4eac}   \u{1b}[32mup\u{1b}[0m\n\u{1b}[1m\u{1b}[31mweb01\u{1b}[0m\n"
    );
}
