use super::*;

#[test]
fn host_names_are_names() {
    let label = "a".repeat(63);
    let longest = [label.as_str(); 3].join(".") + "." + &"b".repeat(61);
    assert_eq!(longest.len(), 253);
    for text in [
        "n1",
        "N1",
        "9",
        "a-b",
        "node1.example.com",
        &label,
        &longest,
    ] {
        let name: NodeName = text.parse().expect(text);
        assert_eq!(name.as_str(), text);
        let json = serde_json::to_string(&name).expect("JSON");
        assert_eq!(
            serde_json::from_str::<NodeName>(&json).expect("a name"),
            name
        );
    }
}

#[test]
fn other_text_is_refused_and_shown_escaped() {
    let long_label = "a".repeat(64);
    let long = ["a".repeat(63).as_str(); 4].join(".");
    let huge = "x".repeat(64 * 1024);
    for text in [
        "",
        " ",
        "n 1",
        "n1\n",
        "\nn1",
        "n1\r",
        "n1\0",
        "n_1",
        "n/1",
        "../n1",
        "-n1",
        "n1-",
        "n1.",
        ".n1",
        "a..b",
        "a.-b",
        "ñ1",
        "n1\u{202e}",
        "n1\u{200b}",
        "\u{1b}[31mn1",
        "$n",
        "%n",
        "\"n\"",
        &long_label,
        &long,
        &huge,
    ] {
        let refused = text.parse::<NodeName>().expect_err("refused").to_string();
        let plain = |letter: char| (' '..='~').contains(&letter) || letter == 'ñ';
        assert!(refused.chars().all(plain), "{refused:?}");
        assert!(refused.len() < 400, "{refused:?}");
        let json = serde_json::to_string(text).expect("JSON");
        assert!(serde_json::from_str::<NodeName>(&json).is_err(), "{json}");
    }
}
