//! Bodies into requests: what does not fit is named by its place.

use accelnet_model::{Code, IntentName, Problem, outside};
use accelnet_rules::intent::name_invalid;
use accelnet_rules::management;
use serde_json::Value;

use crate::limits::{self, Body, Chars, Limit};

/// The longest reason that is given, in characters.
const LONGEST: usize = 1000;

/// Reads a request.
///
/// # Errors
///
/// `bad_request`, with the place and what was expected there; a value that a code of its own
/// is there for ends with that one.
pub fn request<T: Body>(body: &[u8]) -> Result<T, Problem> {
    match read(body) {
        Ok(read) => Ok(read),
        Err(problem) => {
            // Only then, since what is written again has no place in the body.
            let Ok(mut sent) = serde_json::from_slice::<Value>(body) else {
                return Err(problem);
            };
            let before = sent.clone();
            limits::with_plain_integers(&mut sent);
            match sent == before {
                true => Err(problem),
                false => read(sent.to_string().as_bytes()),
            }
        }
    }
}

fn read<T: Body>(body: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let error = error.into_inner();
        if error.is_data()
            // A name that is not known is no value of anything.
            && !error.to_string().starts_with("unknown field")
            && let Some(problem) = with_own_code(body, &path)
        {
            return problem;
        }
        wrong(&path, &error)
    })?;
    json.end().map_err(|error| wrong(".", &error))?;
    is_permitted(body, &read)?;
    Ok(read)
}

/// Whether the document permits what was read, which serde takes in more forms than one.
fn is_permitted<T: Body>(body: &[u8], read: &T) -> Result<(), Problem> {
    let parsed = serde_json::from_slice(body).and_then(|sent: Value| {
        let read = serde_json::to_value(read)?;
        Ok((sent, read))
    });
    let (sent, read) = parsed.map_err(|error| wrong(".", &error))?;
    limits::same_form(&sent, &read).map_err(|(place, what)| {
        let place = match place.as_str() {
            "" => "the body".to_owned(),
            place => format!("field {place}"),
        };
        bad_request(&format!("{place} is not {what}"))
    })?;
    let names_intent = T::LIMITS.contains(&("name", Limit::Text(Chars::IntentName)));
    limits::judge(T::LIMITS, &sent).map_err(|what| {
        let what = format!("field {what}");
        match sent["name"].as_str().filter(|_| names_intent) {
            Some(name) => {
                let name: String = name.chars().take(limits::LONGEST_NAME).collect();
                match name.parse::<IntentName>() {
                    Ok(_) => Problem::new(Code::IntentInvalid, &[&name], sentence(&what)),
                    Err(_) => name_invalid(&name),
                }
            }
            _ => bad_request(&what),
        }
    })
}

/// Values that have a code of their own.
fn with_own_code(body: &[u8], path: &str) -> Option<Problem> {
    let whole: Value = serde_json::from_slice(body).ok()?;
    let (top, below) = path.split_once('.').unwrap_or((path, ""));
    let given = whole.get(top)?;
    let shown = match given {
        // "50" is refused for its quotes.
        Value::String(text) if management::reserve(text).is_err() => text.clone(),
        other => other.to_string(),
    };
    match (top, given) {
        ("node_reserve_percentage", _) => Some(management::reserve_invalid(&shown)),
        ("performance", Value::String(_)) => Some(
            management::performance_invalid(&shown)
                .needed("\"low\", \"medium\" or \"high\".")
                .resolution("Give one of \"low\", \"medium\" and \"high\"."),
        ),
        ("performance", Value::Object(figures)) => {
            let (setting, number) = below.split_once('.')?;
            let number = figures.get(setting)?.get(number)?;
            Some(management::performance_settings_invalid(format!(
                "{path} is {number}, which is no integer from 1."
            )))
        }
        _ => None,
    }
}

fn wrong(path: &str, error: &serde_json::Error) -> Problem {
    let place = match path {
        "." | "?" => String::new(),
        path => format!("field {path}: "),
    };
    let what = if error.is_data() {
        format!("{place}{error}")
    } else {
        format!("the body is not JSON: {error}")
    };
    bad_request(&what)
}

/// A request that cannot be read, and why, a fragment.
pub fn bad_request(what: &str) -> Problem {
    let what = outside::short(what, LONGEST);
    Problem::new(Code::BadRequest, &[], sentence(&what))
}

/// A fragment as a sentence.
fn sentence(what: &str) -> String {
    let mut letters = what.chars();
    letters.next().map_or_else(String::new, |first| {
        format!("{}{}.", first.to_uppercase(), letters.as_str())
    })
}

#[cfg(test)]
mod tests;
