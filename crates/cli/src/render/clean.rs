//! Text from outside, made fit for a terminal before it is laid out.

use std::borrow::Cow;

use accelnet_model::outside;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Fields whose texts are ours and may have several lines: what is to be written into which file.
const OF_LINES: [&str; 2] = ["resolution", "warnings"];

/// The same value with every text in it on one line and without hidden characters.
pub fn clean<T: Serialize + DeserializeOwned + Clone>(value: &T) -> T {
    let cleaned = serde_json::to_value(value).ok();
    let cleaned = cleaned.map(|value| escape(value, false));
    // A value that is none any more is shown as it is: what is written is escaped once more.
    let cleaned = cleaned.and_then(|cleaned| serde_json::from_value(cleaned).ok());
    cleaned.unwrap_or_else(|| value.clone())
}

fn escape(value: Value, lines: bool) -> Value {
    let escaped = match lines {
        true => outside::escaped_lines,
        false => outside::escaped,
    };
    match value {
        Value::String(text) => Value::String(escaped(&text).into_owned()),
        Value::Array(values) => values
            .into_iter()
            .map(|value| escape(value, lines))
            .collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let lines = OF_LINES.contains(&&*name);
                (name, escape(value, lines))
            })
            .collect(),
        other => other,
    }
}

/// A whole text of ours: line feeds stay, and with `colour` sequences that set one.
pub fn written(text: &str, colour: bool) -> Cow<'_, str> {
    if !colour {
        return outside::escaped_lines(text);
    }
    let mut all = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        let (before, sequence) = rest.split_at(at);
        all.push_str(&outside::escaped_lines(before));
        let length = colour_sequence(sequence);
        let (sequence, after) = sequence.split_at(length.unwrap_or(1));
        match length {
            Some(_) => all.push_str(sequence),
            None => all.push_str(&outside::escaped(sequence)),
        }
        rest = after;
    }
    all.push_str(&outside::escaped_lines(rest));
    Cow::Owned(all)
}

/// How long the sequence at the beginning is, if it sets a colour: `ESC [ 1 ; 31 m`.
fn colour_sequence(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|letter: char| !letter.is_ascii_digit() && letter != ';')?;
    parameters[end..].starts_with('m').then_some(end + 3)
}

#[cfg(test)]
mod tests;
