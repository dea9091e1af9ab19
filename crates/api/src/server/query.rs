//! The query of a request.

use accelnet_model::Problem;

use super::parse::bad_request;
use crate::limits::{Kind, Parameter};

/// What the query has, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query that may have `known`, each once.
    ///
    /// # Errors
    ///
    /// `bad_request` for one that is not known, stands twice, or holds something else.
    pub fn read(text: &str, known: &[Parameter]) -> Result<Self, Problem> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let Some(parameter) = known.iter().find(|known| known.name == name) else {
                let names: Vec<&str> = known.iter().map(|known| known.name).collect();
                let may = match names.as_slice() {
                    [] => "no parameter is allowed".to_owned(),
                    names => format!("only {} are allowed", names.join(", ")),
                };
                return Err(bad_request(&format!(
                    "query parameter {name} does not exist; {may}"
                )));
            };
            if all.iter().any(|(there, _)| *there == name) {
                return Err(bad_request(&format!(
                    "query parameter {name} is given twice"
                )));
            }
            judge(parameter, &value)
                .map_err(|what| bad_request(&format!("query parameter {name} {what}")))?;
            all.push((name.into_owned(), value.into_owned()));
        }
        Ok(Query(all))
    }

    /// The text of `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(there, _)| there == name)?;
        Some(value)
    }

    /// The number of `name`.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Whether `name` is true.
    pub fn truth(&self, name: &str) -> bool {
        self.text(name) == Some("true")
    }
}

/// What is wrong with the value of a parameter, a fragment.
fn judge(parameter: &Parameter, value: &str) -> Result<(), String> {
    match parameter.kind {
        Kind::Text(chars) => chars.judge(value),
        Kind::Truth => match value.parse::<bool>() {
            Ok(_) => Ok(()),
            Err(_) => Err(format!("is {value:?} and not true or false")),
        },
        Kind::Number(least, most) => {
            let digits = value.bytes().all(|byte| byte.is_ascii_digit());
            match value.parse::<u64>() {
                Ok(number) if digits && (least..=most).contains(&number) => Ok(()),
                Ok(number) if digits => Err(format!("is {number} and not within {least}..={most}")),
                _ => Err(format!("is {value:?} and not an integer from {least}")),
            }
        }
    }
}

#[cfg(test)]
mod tests;
