//! What values of requests may be: the server refuses what the OpenAPI document does not permit, by the
//! same table.

use std::collections::HashSet;

use accelnet_model::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Caller;

/// The longest name in a request, in characters.
pub const LONGEST_NAME: usize = 255;
/// VMs that one request can name.
pub const MOST_VMS: usize = 10_000;
/// VMs that a request of a reader can name: a dry run takes time that changes wait for.
pub const MOST_VMS_OF_READERS: usize = 1_000;
/// Adapters that one request can name.
pub const MOST_ADAPTERS: usize = 256;
/// VFs that an adapter can have: PCI counts them in 16 bits.
pub const MOST_VFS: u64 = 65_535;

/// Which characters a text may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chars {
    /// Any but control characters.
    Printable,
    /// Those of the name of a VM, or of a glob: libvirt takes no `/`.
    VmName,
    /// Those of the name of an intent.
    IntentName,
}

impl Chars {
    /// The same as a regular expression.
    pub const fn pattern(self) -> &'static str {
        match self {
            Chars::Printable => r"^[^\u0000-\u001f\u007f-\u009f]+$",
            Chars::VmName => r"^[^/\u0000-\u001f\u007f-\u009f]+$",
            Chars::IntentName => r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$",
        }
    }

    /// The longest text of them, in characters.
    pub const fn longest(self) -> usize {
        match self {
            Chars::Printable | Chars::VmName => LONGEST_NAME,
            Chars::IntentName => 32,
        }
    }

    /// What is wrong with `text`, a fragment.
    pub fn judge(self, text: &str) -> Result<(), String> {
        let longest = self.longest();
        if text.is_empty() {
            return Err("is empty".to_owned());
        }
        if text.chars().count() > longest {
            return Err(format!("is longer than {longest} characters"));
        }
        let inner = |one: char| one.is_ascii_alphanumeric() || matches!(one, '.' | '-' | '_');
        let fits = match self {
            Chars::Printable => !text.chars().any(char::is_control),
            Chars::VmName => !text.chars().any(|one| one == '/' || one.is_control()),
            Chars::IntentName => {
                text.starts_with(|one: char| one.is_ascii_alphanumeric()) && text.chars().all(inner)
            }
        };
        match (fits, self) {
            (true, _) => Ok(()),
            (false, Chars::Printable) => Err("has control characters".to_owned()),
            (false, Chars::VmName) => {
                Err("is not the name of a VM: it has '/' or control characters".to_owned())
            }
            (false, Chars::IntentName) => Err(
                "is not the name of an intent: letters, digits, '.', '-' and '_' that begin with a letter or digit"
                    .to_owned(),
            ),
        }
    }
}

/// What a field may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A text.
    Text(Chars),
    /// Several texts, at least and at most so many.
    Texts(usize, usize, Chars),
    /// The same, each once.
    Once(usize, usize, Chars),
    /// Several values of an enumeration, each once.
    Values(usize, usize),
    /// An integer.
    Number(u64, u64),
    /// An integer that `accelnet_rules` judges, with a code of its own.
    Judged(u64, u64),
}

/// The body of a request; `()` for none.
pub trait Body: DeserializeOwned + Serialize + Send + 'static {
    /// The limits of its fields. [`Limit::Judged`] stands in the document only.
    const LIMITS: &'static [(&'static str, Limit)] = &[];

    /// Whether it is a dry run.
    fn dry_run(&self) -> bool {
        false
    }

    /// Checks what its limits do not cover. Returns the subject of a refusal, if the path does not name it.
    fn check(&mut self, _caller: &Caller) -> Result<Subject, Problem> {
        Ok(None)
    }
}

impl Body for () {}

/// What a request is about.
pub type Subject = Option<String>;

/// A parameter of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// Its effect.
    pub what: &'static str,
}

/// The values of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text(Chars),
    /// An integer, at least and at most so much.
    Number(u64, u64),
    /// `true` or `false`.
    Truth,
}

/// What is wrong with `value`, a request with these limits: a fragment that begins with the place.
pub fn judge(limits: &[(&str, Limit)], value: &Value) -> Result<(), String> {
    for (field, limit) in limits {
        let Some(value) = value.get(field).filter(|value| !value.is_null()) else {
            continue;
        };
        limit
            .judge(value)
            .map_err(|what| format!("{field}{what}"))?;
    }
    Ok(())
}

impl Limit {
    fn judge(self, value: &Value) -> Result<(), String> {
        match self {
            Limit::Text(chars) => {
                let text = value.as_str().unwrap_or_default();
                chars.judge(text).map_err(|what| format!(" {what}"))
            }
            Limit::Texts(least, most, chars) => texts(value, least, most, chars, false),
            Limit::Once(least, most, chars) => texts(value, least, most, chars, true),
            Limit::Values(least, most) => {
                let values = value.as_array().map_or(&[][..], Vec::as_slice);
                count(values.len(), least, most)?;
                match values
                    .iter()
                    .enumerate()
                    .find(|(at, one)| values[..*at].contains(one))
                {
                    Some((at, one)) => Err(format!("[{at}]: {one} is listed twice")),
                    None => Ok(()),
                }
            }
            Limit::Number(least, most) => match value.as_u64() {
                Some(number) if (least..=most).contains(&number) => Ok(()),
                _ => Err(format!(" is {value} and not within {least}..={most}")),
            },
            Limit::Judged(..) => Ok(()),
        }
    }
}

fn texts(value: &Value, least: usize, most: usize, chars: Chars, once: bool) -> Result<(), String> {
    let texts = value.as_array().map_or(&[][..], Vec::as_slice);
    count(texts.len(), least, most)?;
    let mut seen = HashSet::new();
    for (at, text) in texts.iter().enumerate() {
        let text = text.as_str().unwrap_or_default();
        chars.judge(text).map_err(|what| format!("[{at}] {what}"))?;
        if !seen.insert(text) && once {
            return Err(format!("[{at}]: {text} is listed twice"));
        }
    }
    Ok(())
}

fn count(found: usize, least: usize, most: usize) -> Result<(), String> {
    if found < least {
        return Err(" is empty".to_owned());
    }
    match found <= most {
        true => Ok(()),
        false => Err(format!(" has {found} entries, and {most} are the most")),
    }
}

/// Whether what was read has the same form as what was sent: serde takes an array for an object, and an
/// object for a name of an enumeration. Gives the place where it has not, and what belongs there.
pub fn same_form(sent: &Value, read: &Value) -> Result<(), (String, &'static str)> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => {
            for (field, value) in sent {
                let Some(other) = read.get(field) else {
                    continue;
                };
                same_form(value, other).map_err(|(place, what)| match place.as_str() {
                    "" => (field.clone(), what),
                    place => (format!("{field}.{place}"), what),
                })?;
            }
            Ok(())
        }
        (_, Value::Null) => Ok(()),
        (Value::Array(_), Value::Array(_))
        | (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (_, Value::Object(_)) => Err((String::new(), "an object")),
        (_, Value::Array(_)) => Err((String::new(), "an array")),
        (_, Value::String(_)) => Err((String::new(), "a text")),
        (_, Value::Number(_)) => Err((String::new(), "a number")),
        (_, Value::Bool(_)) => Err((String::new(), "true or false")),
    }
}

/// Has integers that are written with a fraction of 0 as what they are: JSON knows no difference.
pub fn with_plain_integers(value: &mut Value) {
    /// The greatest integer of which a float has every digit.
    const EXACT: f64 = 9_007_199_254_740_991.0;
    match value {
        Value::Array(values) => values.iter_mut().for_each(with_plain_integers),
        Value::Object(fields) => fields.values_mut().for_each(with_plain_integers),
        Value::Number(number) if number.is_f64() => {
            let float = number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() <= EXACT);
            let integer = float.and_then(|float| format!("{float:.0}").parse::<i64>().ok());
            if let Some(integer) = integer {
                *value = integer.into();
            }
        }
        _ => {}
    }
}
