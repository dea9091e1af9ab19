//! A cluster in a file: read, judged, and every mistake named by its field and line.

use std::fs;
use std::io::Read;
use std::path::Path;

use accelnet_model::{Capacity, Code, Problem};
use accelnet_rules::what_if::{self, ClusterFile};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::session::Session;

/// Bytes of a file that are read at most.
const MOST: u64 = 256 * 1024 * 1024;

/// Judges the cluster that `file` describes; `-` is standard input.
pub fn judge(file: &Path, session: &mut Session<'_>) -> Result<Capacity, Problem> {
    let (name, text) = match file.as_os_str() == "-" {
        true => ("standard input".to_owned(), read(&mut session.input)),
        false => {
            let text = fs::File::open(file).and_then(|mut opened| read(&mut opened));
            (file.display().to_string(), text)
        }
    };
    let text = text.map_err(|error| {
        if error.kind() == std::io::ErrorKind::FileTooLarge {
            let problem = invalid(&name, format!("It is longer than {} MiB.", MOST >> 20));
            return problem.resolution(format!("Name a file of at most {} MiB.", MOST >> 20));
        }
        let problem = invalid(&name, super::ask::unreadable(&error));
        problem.resolution("Name a JSON file that you can read, or '-' for standard input.")
    })?;
    let described = parse(&text).map_err(|wrong| match wrong {
        Wrong::Field(found) => invalid(&name, found),
        Wrong::Line(found) => {
            invalid(&name, found).resolution("Correct that line, then run the same command again.")
        }
        Wrong::File(found) => invalid(&name, found.to_owned())
            .resolution("Name a JSON file in the format of docs/capacity.md."),
    })?;
    what_if::judge(&described).map_err(|wrong| {
        let line = line_of(&text, &wrong.field);
        let line = line.map_or_else(String::new, |line| format!(" (line {line})"));
        invalid(&name, format!("{}{line}: {}.", wrong.path(), wrong.what))
    })
}

fn read(from: &mut dyn Read) -> std::io::Result<String> {
    let mut text = String::new();
    let all = from.take(MOST + 1).read_to_string(&mut text)?;
    match all as u64 > MOST {
        true => Err(std::io::ErrorKind::FileTooLarge.into()),
        false => Ok(text),
    }
}

/// The first mistake of a file.
enum Wrong {
    /// In a field, which is named.
    Field(String),
    /// In a line: it is not JSON.
    Line(String),
    /// The file is something else.
    File(&'static str),
}

/// The file as it is described, or the first mistake with its field and line.
fn parse(text: &str) -> Result<ClusterFile, Wrong> {
    let first = text.trim_start().chars().next();
    if first.is_none() {
        return Err(Wrong::File("It is empty."));
    }
    if first.is_some_and(|first| first != '{') {
        return Err(Wrong::File(
            "It is not a JSON object, which begins with '{'.",
        ));
    }
    // Where every field stands is noted only for a file that has a mistake: it takes as long as reading it.
    if let Ok(file) = serde_json::from_str(text) {
        return Ok(file);
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let wrong = |path: &str, error: &serde_json::Error| {
        // serde_json ends with " at line 3 column 7", which is reported first here.
        let what = error.to_string();
        let what = what
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .replace(", expected u32", ", expected a whole number from 0");
        let place = format!("line {}, column {}", error.line(), error.column());
        let found = match (path, error.line()) {
            ("." | "?", _) => format!("{place}: {what}."),
            (path, 0) => format!("{path}: {what}."),
            (path, _) => format!("{path} ({place}): {what}."),
        };
        match error.is_syntax() || error.is_eof() {
            true => Wrong::Line(found),
            false => Wrong::Field(found),
        }
    };
    let file = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| wrong(&error.path().to_string(), error.inner()))?;
    reader.end().map_err(|error| wrong(".", &error))?;
    Ok(file)
}

fn invalid(name: &str, found: String) -> Problem {
    Problem::new(Code::CapacityFileInvalid, &[name], found)
}

/// The line where a field's value begins or stands.
fn line_of(text: &str, field: &[String]) -> Option<usize> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let error = Seek { field }.deserialize(&mut reader).err()?;
    (error.line() > 0).then(|| error.line())
}

/// Reads up to a field, and fails there: the failure knows its line.
#[derive(Clone, Copy)]
struct Seek<'a> {
    field: &'a [String],
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.field {
            // Any value is read whole: a list begins where it is opened, so it is not entered.
            [] => Err(Error::custom("here")),
            [_, ..] => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list or an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.field.split_first() else {
            return Ok(());
        };
        while let Some(key) = map.next_key::<String>()? {
            match key == *first {
                true => map.next_value_seed(Seek { field: rest })?,
                false => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((first, rest)) = self.field.split_first() else {
            return Ok(());
        };
        let wanted: usize = first.parse().map_err(Error::custom)?;
        for _ in 0..wanted {
            if list.next_element::<IgnoredAny>()?.is_none() {
                return Ok(());
            }
        }
        list.next_element_seed(Seek { field: rest })?;
        // It was not there: the rest is read so that nothing else fails.
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests;
