//! One thing that is wrong in one place: a code with what was found there.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Code, outside};

/// The longest name in a sentence, in characters.
const LONGEST_NAME: usize = 1000;

/// An error or a warning: a code with the facts of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The code.
    pub code: Code,
    /// The document's code of which this code is a case; none if it is not a case of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_code: Option<Code>,
    /// The message, a sentence.
    pub message: String,
    /// The cause: what was found.
    pub found: String,
    /// What is needed.
    pub needed: String,
    /// How to fix it.
    pub resolution: String,
    /// The message of the kernel, the driver or libvirt, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

impl Problem {
    /// The code's sentence, needs and resolution with `{0}`, `{1}`, ... replaced by
    /// `names`; `found` is the cause in this case.
    pub fn new(code: Code, names: &[&str], found: impl Into<String>) -> Self {
        let entry = code.entry();
        Problem {
            code,
            document_code: entry.case_of,
            message: fill(entry.sentence, names),
            found: found.into(),
            needed: fill(entry.needed, names),
            resolution: fill(entry.resolution, names),
            cause: None,
        }
    }

    /// Replaces the requirement.
    pub fn needed(mut self, needed: impl Into<String>) -> Self {
        self.needed = needed.into();
        self
    }

    /// Replaces the remedy.
    pub fn resolution(mut self, resolution: impl Into<String>) -> Self {
        self.resolution = resolution.into();
        self
    }

    /// Names the document's code that this case falls under.
    pub fn under(mut self, code: Code) -> Self {
        self.document_code = Some(code);
        self
    }

    /// Keeps the message of the program that refused.
    pub fn cause(mut self, words: impl Into<String>) -> Self {
        self.cause = Some(words.into());
        self
    }

    /// Exit status of a command that ends with this problem.
    pub fn exit_status(&self) -> u8 {
        self.code.entry().exit_status
    }
}

/// Replaces `{0}`, `{1}`, ... in `template`; what stands in a name is left as it is.
pub(crate) fn fill(template: &str, names: &[&str]) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let place = after.split_once('}').and_then(|(place, after)| {
            let place: usize = place.parse().ok()?;
            Some((names.get(place)?, after))
        });
        rest = match place {
            Some((name, after)) => {
                // The sentence stays one, whatever the name is.
                match name.is_empty() {
                    true => text.push_str("''"),
                    false => text.push_str(&outside::short(name, LONGEST_NAME)),
                }
                after
            }
            None => {
                text.push('{');
                after
            }
        };
    }
    text.push_str(rest);
    text
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests;
