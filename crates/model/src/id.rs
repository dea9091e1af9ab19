//! Names and ids that can only hold what is valid: what is read of a store, a file or a request is parsed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest name of an intent, in bytes.
const INTENT_NAME: usize = 32;
/// Longest name of a VM, in bytes: libvirt keeps its definition in `NAME.xml`.
const VM_NAME: usize = 251;

/// The text is not what the type holds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {what}")]
pub struct NotAnId {
    /// The text, cut after 64 characters.
    pub text: String,
    /// What it should be.
    pub what: &'static str,
}

/// What makes a type of text usable as text: comparisons, and what wants `&str`.
macro_rules! text {
    ($name:ident) => {
        impl std::ops::Deref for $name {
            type Target = str;

            fn deref(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<String> for $name {
            fn eq(&self, other: &String) -> bool {
                self.0 == *other
            }
        }

        impl PartialEq<$name> for str {
            fn eq(&self, other: &$name) -> bool {
                self == other.0
            }
        }

        impl PartialEq<$name> for &str {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }

        impl PartialEq<$name> for String {
            fn eq(&self, other: &$name) -> bool {
                *self == other.0
            }
        }
    };
}

pub(crate) use text;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident: $parse:path, $what:literal;)+) => {
        $(
            $(#[doc = $doc])+
            #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
            #[serde(try_from = "String", into = "String")]
            pub struct $name(String);

            impl $name {
                /// What such a text is, for messages.
                pub const WHAT: &'static str = $what;

                /// The text.
                pub fn as_str(&self) -> &str {
                    &self.0
                }
            }

            impl FromStr for $name {
                type Err = NotAnId;

                fn from_str(text: &str) -> Result<Self, Self::Err> {
                    $parse(text).map($name).ok_or_else(|| NotAnId {
                        text: text.chars().take(64).collect(),
                        what: Self::WHAT,
                    })
                }
            }

            impl TryFrom<String> for $name {
                type Error = NotAnId;

                fn try_from(text: String) -> Result<Self, Self::Error> {
                    text.parse()
                }
            }

            impl From<$name> for String {
                fn from(id: $name) -> Self {
                    id.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(&self.0)
                }
            }

            crate::id::text!($name);
        )+
    };
}

ids! {
    /// A UUID: 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12, lower case.
    Uuid: uuid, "a UUID like 3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5f";
    /// The name of an intent.
    IntentName: intent_name, "the name of an intent: letters, digits, '.', '-' and '_', a letter or digit first, 32 at most";
    /// The name of a VM, as libvirt takes it.
    VmName: vm_name, "the name of a VM: 1 to 251 bytes without '/' and control characters";
}

fn uuid(text: &str) -> Option<String> {
    let fits = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let valid = text.len() == 36 && text.bytes().enumerate().all(fits);
    valid.then(|| text.to_ascii_lowercase())
}

fn intent_name(text: &str) -> Option<String> {
    let sound = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let valid = text.len() <= INTENT_NAME
        && text.bytes().all(sound)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric());
    valid.then(|| text.to_owned())
}

fn vm_name(text: &str) -> Option<String> {
    let sound = |c: char| c != '/' && !c.is_control();
    let valid = (1..=VM_NAME).contains(&text.len()) && text.chars().all(sound);
    // It would name a folder.
    (valid && text != "." && text != "..").then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
