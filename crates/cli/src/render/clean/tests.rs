use accelnet_model::{Code, Problem};

use super::*;

#[test]
fn every_text_of_a_value_is_escaped() {
    let problem = Problem::new(Code::VmNotFound, &["web\n\u{1b}[2J\u{202e}"], "a\u{200b}b")
        .cause("one\r\ntwo");
    let cleaned = clean(&problem);
    assert!(
        cleaned.message.contains("web\\n\\u{1b}[2J\\u{202e}"),
        "{cleaned:?}"
    );
    assert_eq!(cleaned.found, "a\\u{200b}b");
    assert_eq!(cleaned.cause.as_deref(), Some("one\\r\\ntwo"));
    assert_eq!(clean(&cleaned), cleaned);
}

#[test]
fn only_colours_are_written_and_only_where_there_are_some() {
    let text = "\u{1b}[1;31merror:\u{1b}[0m \u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31m\nnext";
    let coloured = "\u{1b}[1;31merror:\u{1b}[0m \\u{1b}[2J\\u{1b}]0;title\\u{7}\\u{9b}31m\nnext";
    assert_eq!(written(text, true), coloured);
    assert!(!written(text, false).contains('\u{1b}'));
    assert_eq!(written("\u{1b}", true), "\\u{1b}");
    assert!(matches!(
        written("plain\n", false),
        Cow::Borrowed("plain\n")
    ));
}
