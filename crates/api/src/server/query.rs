//! The query of a request.

use accelnet_model::Problem;

use super::parse::bad_request;
use crate::routes::{Kind, Parameter};

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
                    [] => "nothing may stand there".to_owned(),
                    names => format!("there may be {}", names.join(", ")),
                };
                return Err(bad_request(&format!("its query has {name}, and {may}")));
            };
            if all.iter().any(|(there, _)| *there == name) {
                return Err(bad_request(&format!("its query has {name} twice")));
            }
            let (fits, needed) = match parameter.kind {
                Kind::Text => (true, "text"),
                Kind::Number => (value.parse::<u64>().is_ok(), "an integer from 0"),
                Kind::Truth => (value.parse::<bool>().is_ok(), "true or false"),
            };
            if !fits {
                let what = format!("{name} in its query is {value:?} and not {needed}");
                return Err(bad_request(&what));
            }
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

#[cfg(test)]
mod tests;
