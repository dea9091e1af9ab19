//! An observed value: either known, or unknown with the reason.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What came of looking for a value.
///
/// In JSON a known value stands as itself, an unknown one as `{"unknown": "reason"}`.
/// Something that was searched and does not exist is `Known(None)` of an `Option`, never
/// `Unknown`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<T> {
    /// The value was read.
    Known(T),
    /// The value could not be read, and why, as a sentence fragment.
    Unknown(String),
}

impl<T> Observed<T> {
    /// An unknown value with its reason.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Observed::Unknown(reason.into())
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Observed::Known(value) => Some(value),
            Observed::Unknown(_) => None,
        }
    }

    /// The reason, if the value is unknown.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Observed::Known(_) => None,
            Observed::Unknown(reason) => Some(reason),
        }
    }

    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Observed::Known(value) => Observed::Known(f(value)),
            Observed::Unknown(reason) => Observed::Unknown(reason),
        }
    }

    /// Borrows the inside.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Observed::Known(value) => Observed::Known(value),
            Observed::Unknown(reason) => Observed::Unknown(reason.clone()),
        }
    }
}

impl<T> Observed<Option<T>> {
    /// The value, if it is known and there.
    pub fn present(&self) -> Option<&T> {
        self.known().and_then(Option::as_ref)
    }
}

impl<T, E: std::fmt::Display> From<Result<T, E>> for Observed<T> {
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(value) => Observed::Known(value),
            Err(error) => Observed::Unknown(error.to_string()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownForm {
    unknown: String,
}

impl<T: Serialize> Serialize for Observed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Observed::Known(value) => value.serialize(serializer),
            Observed::Unknown(reason) => UnknownForm {
                unknown: reason.clone(),
            }
            .serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Observed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either<T> {
            Unknown(UnknownForm),
            Known(T),
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Unknown(form) => Observed::Unknown(form.unknown),
            Either::Known(value) => Observed::Known(value),
        })
    }
}

#[cfg(test)]
mod tests;
