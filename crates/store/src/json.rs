//! Documents: values as JSON with the number of their format.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Commit, Entry, LeaseId, Store, StoreError, Txn};

/// A type that is kept in the store as JSON.
///
/// In the store it reads `{"format":1,"value":{...}}`. A later release may add fields, which earlier
/// readers pass over: so its types deny none. New codes, names of checks and kinds of events are read as
/// ones of a later release. A change that old readers cannot take (another new variant, for one), or
/// that must not be lost when they write, needs a new format.
pub trait Document: Serialize + DeserializeOwned {
    /// What it is, for messages: "an intent".
    const KIND: &'static str;

    /// The format that is written.
    const FORMAT: u32;

    /// Most bytes of a value with its format: a longer one is not read.
    const MOST_BYTES: usize = 64 * 1024;

    /// Whether its content makes sense, and agrees with the key that it is at; the reason why not, a
    /// fragment.
    ///
    /// # Errors
    ///
    /// The reason.
    fn agrees(&self, key: &str) -> Result<(), String> {
        let _ = key;
        Ok(())
    }

    /// Turns a value of an older format into today's. `None`: that format cannot be read.
    fn upgrade(format: u32, value: serde_json::Value) -> Option<serde_json::Value> {
        let _ = (format, value);
        None
    }
}

/// A document and its metadata in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored<T> {
    /// The key.
    pub key: String,
    /// The document.
    pub value: T,
    /// Revision of its last change: what a [`crate::Check`] names.
    pub mod_revision: u64,
}

/// A value that is not what its key promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The key.
    pub key: String,
    /// Revision of its last change.
    pub mod_revision: u64,
    /// Why it cannot be read, a fragment.
    pub reason: String,
    /// Whether a later release wrote it, so that it is not damaged.
    pub newer_format: bool,
}

/// All documents with one prefix at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents<T> {
    /// Those that can be read, in the order of the keys' bytes.
    pub values: Vec<Stored<T>>,
    /// What cannot be read, in the same order. It hides nothing else.
    pub unreadable: Vec<Unreadable>,
    /// The store's revision at that moment.
    pub revision: u64,
}

/// Documents in any store.
pub trait Json: Store {
    /// The document at `key`.
    ///
    /// # Errors
    ///
    /// Those of [`Store::get`]; or the value is not such a document, or of a format that cannot be
    /// read.
    fn get_json<T: Document>(&self, key: &str) -> Result<Option<Stored<T>>, StoreError> {
        self.get(key)?.as_ref().map(Stored::read).transpose()
    }

    /// All documents whose keys begin with `prefix`.
    ///
    /// # Errors
    ///
    /// Those of [`Store::range`]. A value that cannot be read is no error.
    fn range_json<T: Document>(&self, prefix: &str) -> Result<Documents<T>, StoreError> {
        let range = self.range(prefix)?;
        let mut values = Vec::with_capacity(range.entries.len());
        let mut unreadable = Vec::new();
        for entry in &range.entries {
            match Stored::read_or_why(entry) {
                Ok(stored) => values.push(stored),
                Err(why) => unreadable.push(why),
            }
        }
        Ok(Documents {
            values,
            unreadable,
            revision: range.revision,
        })
    }

    /// Sets `key` when its last change was at `mod_revision` (0: when it does not exist).
    ///
    /// # Errors
    ///
    /// Those of [`Store::commit`]; or the document has no form as JSON.
    fn put_json<T: Document>(
        &self,
        key: &str,
        document: &T,
        mod_revision: u64,
    ) -> Result<Commit, StoreError> {
        self.commit(
            &Txn::new()
                .check(key, mod_revision)
                .put_json(key, document)?,
        )
    }
}

impl<S: Store + ?Sized> Json for S {}

impl Txn {
    /// Sets a key to a document.
    ///
    /// # Errors
    ///
    /// The document has no form as JSON.
    pub fn put_json<T: Document>(
        self,
        key: impl Into<String>,
        document: &T,
    ) -> Result<Self, StoreError> {
        Ok(self.put(key, write(document)?))
    }

    /// Sets a key to a document that vanishes with the lease.
    ///
    /// # Errors
    ///
    /// The document has no form as JSON.
    pub fn put_json_leased<T: Document>(
        self,
        key: impl Into<String>,
        document: &T,
        lease: LeaseId,
    ) -> Result<Self, StoreError> {
        Ok(self.put_leased(key, write(document)?, Some(lease)))
    }
}

impl<T: Document> Stored<T> {
    /// Reads an entry, one of a watch for example.
    ///
    /// # Errors
    ///
    /// The value is not such a document, or of a format that cannot be read.
    pub fn read(entry: &Entry) -> Result<Self, StoreError> {
        let disagrees = |found: String| StoreError::Disagrees {
            key: entry.key.clone(),
            kind: T::KIND,
            found,
        };
        if entry.value.len() > T::MOST_BYTES {
            let (found, most) = (entry.value.len(), T::MOST_BYTES);
            return Err(disagrees(format!("it has {found} bytes of at most {most}")));
        }
        let value = read::<T>(entry).map_err(|source| StoreError::Value {
            key: entry.key.clone(),
            kind: T::KIND,
            source,
        })?;
        let value = value.map_err(|found| StoreError::Format {
            key: entry.key.clone(),
            kind: T::KIND,
            found,
            known: T::FORMAT,
        })?;
        value.agrees(&entry.key).map_err(disagrees)?;
        Ok(Self {
            key: entry.key.clone(),
            value,
            mod_revision: entry.mod_revision,
        })
    }

    /// The same, or the error of the value.
    ///
    /// # Errors
    ///
    /// Why it cannot be read.
    pub fn read_or_why(entry: &Entry) -> Result<Self, Unreadable> {
        Self::read(entry).map_err(|error| Unreadable::of(entry, &error))
    }
}

impl Unreadable {
    /// What `error` reports about the value of `entry`.
    pub fn of(entry: &Entry, error: &StoreError) -> Self {
        let (reason, later) = match error {
            StoreError::Format {
                kind, found, known, ..
            } => {
                let reason = format!(
                    "it has format {found} of {kind}, and this accelnet reads format {known}"
                );
                (reason, found > known)
            }
            StoreError::Value { kind, source, .. } => {
                (format!("its value is not that of {kind} ({source})"), false)
            }
            StoreError::Disagrees { kind, found, .. } => {
                (format!("it is not a valid value of {kind}: {found}"), false)
            }
            other => (other.to_string(), false),
        };
        Unreadable {
            key: entry.key.clone(),
            mod_revision: entry.mod_revision,
            reason,
            newer_format: later,
        }
    }
}

/// `value` with fields of these names renamed, at any depth: for [`Document::upgrade`].
#[must_use]
pub fn renamed(mut value: serde_json::Value, names: &[(&str, &str)]) -> serde_json::Value {
    rename(&mut value, names);
    value
}

fn rename(value: &mut serde_json::Value, names: &[(&str, &str)]) {
    match value {
        serde_json::Value::Object(fields) => {
            for (old, new) in names {
                if let Some(field) = fields.remove(*old) {
                    fields.insert((*new).to_owned(), field);
                }
            }
            fields.values_mut().for_each(|field| rename(field, names));
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        _ => {}
    }
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Whole<T> {
    format: u32,
    value: T,
}

/// The document as it is kept, with its format.
fn write<T: Document>(document: &T) -> Result<Vec<u8>, StoreError> {
    let whole = Whole {
        format: T::FORMAT,
        value: document,
    };
    serde_json::to_vec(&whole).map_err(|source| StoreError::NoJson {
        kind: T::KIND,
        source,
    })
}

/// The document, or the format that cannot be read. The format is read first: a newer one may
/// look quite different.
fn read<T: Document>(entry: &Entry) -> Result<Result<T, u32>, serde_json::Error> {
    let Head { format } = serde_json::from_slice(&entry.value)?;
    if format == T::FORMAT {
        let whole: Whole<T> = serde_json::from_slice(&entry.value)?;
        return Ok(Ok(whole.value));
    }
    if format > T::FORMAT {
        return Ok(Err(format));
    }
    let whole: Whole<serde_json::Value> = serde_json::from_slice(&entry.value)?;
    match T::upgrade(format, whole.value) {
        Some(value) => serde_json::from_value(value).map(Ok),
        None => Ok(Err(format)),
    }
}

#[cfg(test)]
mod tests;
