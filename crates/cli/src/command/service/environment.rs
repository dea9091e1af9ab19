//! Words in a file that systemd reads (`EnvironmentFile=`), for a command line of a unit (`$VARIABLE`).
//!
//! systemd unquotes twice: the value when it reads the file, and each word when it splits the value.

/// Characters that a word needs no quotes for.
fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "-_./:,=@+[]".contains(letter)
}

/// A line that gives `variable` these words.
pub fn line(variable: &str, words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word, "\"\\")).collect();
    let value = words.join(" ");
    // One pair of quotes around all of them: what the file's own rules mean by a character is escaped.
    match words.iter().all(|word| word.chars().all(is_plain)) {
        true => format!("{variable}={value}\n"),
        false => format!("{variable}={}\n", in_quotes(&value, "\"\\$`")),
    }
}

fn quoted(word: &str, special: &str) -> String {
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => in_quotes(word, special),
    }
}

fn in_quotes(text: &str, special: &str) -> String {
    let mut all = String::from("\"");
    for letter in text.chars() {
        if special.contains(letter) {
            all.push('\\');
        }
        all.push(letter);
    }
    all.push('"');
    all
}

/// The words that `variable` has by such a file, as systemd understands it; none when it is not set.
pub fn words(text: &str, variable: &str) -> Option<Vec<String>> {
    let mut lines = text.lines().filter_map(|line| {
        let value = line.trim_start().strip_prefix(variable)?;
        value.trim_start().strip_prefix('=')
    });
    Some(split(&unquoted(lines.next_back()?.trim())))
}

/// A value as the file has it.
fn unquoted(value: &str) -> String {
    let mut all = String::new();
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (Some('\''), _) => all.push(letter),
            (Some(_), '\\') => match letters.next() {
                Some(next) if "\"\\$`".contains(next) => all.push(next),
                next => {
                    all.push('\\');
                    all.extend(next);
                }
            },
            (None, '\\') => all.extend(letters.next()),
            _ => all.push(letter),
        }
    }
    all
}

/// The words of a value.
fn split(value: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, letter) if letter.is_ascii_whitespace() => words.extend(word.take()),
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), _) if open == letter => quote = None,
            (_, '\\') => word.get_or_insert_default().extend(letters.next()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests;
