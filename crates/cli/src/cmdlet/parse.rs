//! The words after a cmdlet's name, by its parameters.

use super::Pipes;
use super::given::Given;
use super::table::{Cmdlet, Kind, Parameter};

/// Words that make no sense, and how it is used: whole lines for standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong(pub String);

/// Reads them.
pub fn parse(cmdlet: &Cmdlet, words: &[String], pipes: Pipes) -> Result<Given, Wrong> {
    let mut reader = Reader {
        cmdlet,
        words,
        at: 0,
        given: Given::default(),
    };
    match reader.read(pipes) {
        Ok(()) => Ok(reader.given),
        Err(what) => Err(Wrong(format!(
            "{}: {what}\n{}",
            cmdlet.name,
            super::help::usage(cmdlet)
        ))),
    }
}

struct Reader<'a> {
    cmdlet: &'a Cmdlet,
    words: &'a [String],
    at: usize,
    given: Given,
}

impl Reader<'_> {
    fn read(&mut self, pipes: Pipes) -> Result<(), String> {
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            match named(word) {
                Some((name, attached)) => self.named(name, attached)?,
                None => self.unnamed(word)?,
            }
        }
        if self.given.help {
            return Ok(());
        }
        for parameter in self.cmdlet.parameters {
            if self.given.has(parameter.name) {
                continue;
            }
            if parameter.pipeline && parameter.required && pipes.input {
                self.given
                    .values
                    .push((parameter.name, vec!["-".to_owned()]));
            } else if parameter.required {
                let piped = if parameter.pipeline {
                    ", and there are no names on standard input"
                } else {
                    ""
                };
                return Err(format!("-{} is required{piped}", parameter.name));
            }
        }
        Ok(())
    }

    /// A word like `-Name`, with what stands after its colon.
    fn named(&mut self, name: &str, attached: Option<&str>) -> Result<(), String> {
        let parameter = resolve(self.cmdlet, name)?;
        if parameter.kind == Kind::Switch {
            return self.switch(parameter, attached);
        }
        let values = match (attached, parameter.kind) {
            (Some(text), Kind::List) => self.list(text.to_owned()),
            (Some(text), _) => vec![text.to_owned()],
            (None, kind) => match (self.next_value(), kind) {
                (Some(text), Kind::List) => self.list(text),
                (Some(text), _) => vec![text],
                (None, Kind::Blank) => vec![String::new()],
                (None, _) => return Err(format!("-{} needs a value", parameter.name)),
            },
        };
        self.keep(parameter, values)
    }

    fn switch(&mut self, parameter: &Parameter, attached: Option<&str>) -> Result<(), String> {
        let name = parameter.name;
        let on = match attached.map(str::to_ascii_lowercase).as_deref() {
            None | Some("$true" | "true") => true,
            Some("$false" | "false") => false,
            // A shell that knows no $false leaves nothing of it, and nobody writes
            // -Confirm:$true.
            Some("") if name == "Confirm" => false,
            Some("") => {
                return Err(format!(
                    "-{name}: has nothing behind its colon; a shell makes nothing of $true, so \
                     write '-{name}' alone, or quote it"
                ));
            }
            Some(other) => {
                return Err(format!("-{name} is $true or $false, and not {other}"));
            }
        };
        match (name, on) {
            ("Help", _) => self.given.help = on,
            ("WhatIf", _) => self.given.what_if = on,
            ("Confirm", true) => {
                return Err(
                    "-Confirm cannot be done: there are no confirmation prompts; -WhatIf shows the steps"
                        .to_owned(),
                );
            }
            ("Verbose", true) => {
                let note = "note: -Verbose has no effect; 'accelnet log' shows the changes";
                self.given.notes.push(note.to_owned());
            }
            (_, false) => {}
            (_, true) => self.keep(parameter, Vec::new())?,
        }
        Ok(())
    }

    /// A word without a name goes to the next place that is free.
    fn unnamed(&mut self, word: &str) -> Result<(), String> {
        let mut places: Vec<&Parameter> = self
            .cmdlet
            .parameters
            .iter()
            .filter(|parameter| parameter.position.is_some())
            .collect();
        places.sort_by_key(|parameter| parameter.position);
        let free = places
            .into_iter()
            .find(|parameter| !self.given.has(parameter.name));
        let Some(parameter) = free else {
            return Err(format!("unexpected argument '{word}'"));
        };
        let values = match parameter.kind {
            Kind::List => self.list(word.to_owned()),
            _ => vec![word.to_owned()],
        };
        self.keep(parameter, values)
    }

    /// The next word, unless it is a parameter's name.
    fn next_value(&mut self) -> Option<String> {
        let word = self
            .words
            .get(self.at)
            .filter(|word| named(word).is_none())?;
        self.at += 1;
        Some(word.clone())
    }

    /// Words with commas between: `A,B`, `"A, B"`, `A, B` and `A , B`.
    fn list(&mut self, first: String) -> Vec<String> {
        let mut text = first;
        loop {
            let goes_on = text.trim_end().ends_with(',');
            let comma = self
                .words
                .get(self.at)
                .is_some_and(|next| next.starts_with(','));
            if !goes_on && !comma {
                break;
            }
            let Some(next) = self.next_value() else { break };
            text.push_str(&next);
        }
        text.split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    fn keep(&mut self, parameter: &Parameter, values: Vec<String>) -> Result<(), String> {
        let name = parameter.name;
        if self.given.has(name) {
            return Err(format!("-{name} is given twice"));
        }
        if parameter.kind == Kind::List && values.is_empty() {
            return Err(format!("-{name} needs a value"));
        }
        self.given.values.push((name, values));
        Ok(())
    }
}

/// The name and what stands after its colon, of a word like `-Name` or `-Name:value`. A dash
/// that a text editor made longer is one, too; `-1` and `-` are values.
fn named(word: &str) -> Option<(&str, Option<&str>)> {
    let rest = word.strip_prefix(['-', '\u{2013}', '\u{2014}', '\u{2015}'])?;
    let first = rest.chars().next()?;
    if !first.is_alphabetic() && first != '?' {
        return None;
    }
    Some(match rest.split_once(':') {
        Some((name, value)) => (name, Some(value)),
        None => (rest, None),
    })
}

/// The parameter that `typed` means: by its whole name, or by a beginning that no other has.
fn resolve(cmdlet: &Cmdlet, typed: &str) -> Result<&'static Parameter, String> {
    let names = |parameter: &Parameter| {
        [Some(parameter.name), parameter.alias]
            .into_iter()
            .flatten()
    };
    let whole = cmdlet
        .all()
        .find(|parameter| names(parameter).any(|name| name.eq_ignore_ascii_case(typed)));
    if let Some(parameter) = whole {
        return Ok(parameter);
    }
    let begins = |name: &str| {
        name.get(..typed.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(typed))
    };
    let meant: Vec<&Parameter> = cmdlet
        .all()
        .filter(|parameter| names(parameter).any(begins))
        .collect();
    let list = |parameters: &[&Parameter]| {
        let names: Vec<String> = parameters
            .iter()
            .map(|parameter| format!("-{}", parameter.name))
            .collect();
        names.join(", ")
    };
    match meant.as_slice() {
        [only] => Ok(only),
        [] => {
            let all: Vec<&Parameter> = cmdlet.all().collect();
            Err(format!(
                "there is no parameter -{typed}; the parameters are {}",
                list(&all)
            ))
        }
        several => Err(format!(
            "-{typed} could be any of {}; write more of it",
            list(several)
        )),
    }
}
