//! The name of a node.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::outside;

/// The longest name, in characters.
const LONGEST: usize = 253;
/// The longest label between two dots, in characters.
const LONGEST_LABEL: usize = 63;

/// A host name (RFC 1123), such as `node1` or `node1.example.com`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(String);

/// Text that is no host name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{}' is not a host name: {why}; a name has 1 to 253 letters, digits, hyphens and dots, such as node1",
    outside::short(.text, 80)
)]
pub struct NotANodeName {
    text: String,
    why: &'static str,
}

impl NodeName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why `text` is no host name; none when it is one.
fn flaw(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > LONGEST {
        return Some("it is longer than 253 characters");
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    if !text.bytes().all(fits) {
        return Some("it has other characters");
    }
    text.split('.').find_map(|label| match label {
        "" => Some("two dots, or a dot at an end, leave an empty label"),
        label if label.len() > LONGEST_LABEL => Some("a label is longer than 63 characters"),
        label if label.starts_with('-') || label.ends_with('-') => {
            Some("a label begins or ends with a hyphen")
        }
        _ => None,
    })
}

impl FromStr for NodeName {
    type Err = NotANodeName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match flaw(text) {
            None => Ok(NodeName(text.to_owned())),
            Some(why) => Err(NotANodeName {
                text: text.to_owned(),
                why,
            }),
        }
    }
}

impl TryFrom<String> for NodeName {
    type Error = NotANodeName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

crate::id::text!(NodeName);

#[cfg(test)]
mod tests;
