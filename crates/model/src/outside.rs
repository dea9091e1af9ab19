//! Text from outside: names, answers of guests, words of libvirt and of the kernel, as people and logs
//! may see it.
//!
//! Values and JSON keep the text as it is. It is escaped where it is written to a terminal, a log or an
//! event, so that it can neither move the cursor, nor begin a line, nor change the direction of what
//! stands beside it. Escaping twice is the same as escaping once.

use std::borrow::Cow;

/// `text` on one line, with everything that cannot be seen written as an escape (`\n`, `\u{1b}`).
pub fn escaped(text: &str) -> Cow<'_, str> {
    match text.chars().any(is_hidden) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(text.chars().fold(String::new(), |mut all, letter| {
            push(&mut all, letter);
            all
        })),
    }
}

/// `text` escaped, and of a longer one than `most` characters its beginning and how long it is.
pub fn short(text: &str, most: usize) -> String {
    let mut all = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place == most {
            let count = text.chars().count();
            all.push_str(&format!("... ({count} characters)"));
            break;
        }
        push(&mut all, letter);
    }
    all
}

/// Text of several lines: like [`escaped`], but line feeds stay.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    let is_wrong = |letter: char| letter != '\n' && is_hidden(letter);
    match text.chars().any(is_wrong) {
        false => Cow::Borrowed(text),
        true => Cow::Owned(text.chars().fold(String::new(), |mut all, letter| {
            match letter {
                '\n' => all.push('\n'),
                letter => push(&mut all, letter),
            }
            all
        })),
    }
}

fn push(all: &mut String, letter: char) {
    match letter {
        '\n' => all.push_str("\\n"),
        '\r' => all.push_str("\\r"),
        '\t' => all.push_str("\\t"),
        letter if is_hidden(letter) => all.extend(letter.escape_unicode()),
        letter => all.push(letter),
    }
}

/// Whether a character is not seen as itself: controls, characters of format (zero width, direction, tags),
/// blanks other than the common one, private and unassigned ones.
pub fn is_hidden(letter: char) -> bool {
    match letter {
        ' '..='~' => false,
        letter if letter.is_ascii() => true,
        // Printable by their category, and seen as nothing or as a blank.
        '\u{34f}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{17b4}'
        | '\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{2800}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        // Marks that go with the letter before them stay: a word of Hindi is made of them. std escapes
        // them only at the beginning of a text.
        letter => {
            let mut buffer = [0; 5];
            buffer[0] = b'a';
            let bytes = letter.encode_utf8(&mut buffer[1..]).len();
            let text = std::str::from_utf8(&buffer[..=bytes]).unwrap_or_default();
            text.escape_debug().nth(1) == Some('\\')
        }
    }
}

#[cfg(test)]
mod tests;
