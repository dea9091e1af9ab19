use super::*;

/// What must never reach a terminal from outside.
fn hostile() -> impl Iterator<Item = char> {
    let ranges = [
        '\0'..='\u{1f}',
        '\u{7f}'..='\u{a0}',
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{180e}'..='\u{180e}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202f}',
        '\u{2060}'..='\u{206f}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{e000}'..='\u{e010}',
        '\u{e0000}'..='\u{e01ef}',
    ];
    ranges.into_iter().flatten()
}

#[test]
fn what_cannot_be_seen_is_escaped() {
    for letter in hostile() {
        let text = format!("web{letter}01");
        let shown = escaped(&text);
        assert!(!shown.contains(letter), "{shown:?}");
        assert!(shown.starts_with("web\\"), "{shown:?}");
        assert_eq!(escaped(&shown), shown, "twice is once");
        assert!(!short(&text, 10).contains(letter));
        let lines = escaped_lines(&text);
        assert_eq!(lines.contains(letter), letter == '\n', "{lines:?}");
    }
    assert_eq!(escaped("a\n\u{1b}[31mb"), "a\\n\\u{1b}[31mb");
}

#[test]
fn words_of_all_languages_stay() {
    for text in [
        "web01",
        "büro-1",
        "cafe\u{301}",
        "हिन्दी",
        "ไทย",
        "服务器",
        "サーバー",
        "עברית",
        "عربى",
        "a'b\"c\\d",
        "100 %",
    ] {
        assert!(
            matches!(escaped(text), Cow::Borrowed(same) if same == text),
            "{text:?}"
        );
    }
}

#[test]
fn a_long_text_is_cut_with_its_length() {
    assert_eq!(short("web01", 5), "web01");
    assert_eq!(short("web012", 5), "web01... (6 characters)");
    assert_eq!(
        short(&"\n".repeat(1_000_000), 2),
        "\\n\\n... (1000000 characters)"
    );
}
