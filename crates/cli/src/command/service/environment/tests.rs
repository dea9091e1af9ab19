use super::*;
use proptest::prelude::*;

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[test]
fn plain_words_stand_as_they_are() {
    let words = owned(&["--store", "etcd://db1:2379/racks", "--node", "n1"]);
    let line = line("V", &words);
    assert_eq!(line, "V=--store etcd://db1:2379/racks --node n1\n");
}

#[test]
fn other_words_are_quoted_for_both_readers() {
    let words = owned(&["--store-ca", "/etc/a b/$c\"d\\e`f%g'h.pem", ""]);
    let line = line("V", &words);
    assert_eq!(
        line,
        "V=\"--store-ca \\\"/etc/a b/\\$c\\\\\\\"d\\\\\\\\e\\`f%g'h.pem\\\" \\\"\\\"\"\n"
    );
    assert_eq!(super::words(&line, "V"), Some(words));
}

#[test]
fn what_an_administrator_wrote_is_understood() {
    let text = "# a comment\nOTHER=1\nV=--a 'b c'\n V = \"--a\" --b\\ c \n";
    // Outside of quotes the file's own rules take the backslash.
    assert_eq!(words(text, "V"), Some(owned(&["--a", "--b", "c"])));
    assert_eq!(words(text, "W"), None);
}

proptest! {
    #[test]
    fn the_very_words_come_back(words in proptest::collection::vec("[ -~é\u{202e}]{0,12}", 0..5)) {
        let line = line("V", &words);
        prop_assert_eq!(line.lines().count(), 1);
        prop_assert_eq!(super::words(&line, "V"), Some(words));
    }
}
