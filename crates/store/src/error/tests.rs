use std::io;
use std::num::NonZeroU64;
use std::path::PathBuf;

use crate::{LeaseId, StoreError};

/// One of each that has an operand.
fn all() -> Vec<StoreError> {
    let path = || PathBuf::from("/var/lib/accelnet/store");
    let source = || io::Error::from(io::ErrorKind::PermissionDenied);
    let json = || serde_json::from_str::<u8>("x").unwrap_err();
    let (key, kind) = ("/intent/a".to_owned(), "an intent");
    vec![
        StoreError::Held { path: path() },
        StoreError::Full {
            path: path(),
            source: source(),
        },
        StoreError::Io {
            path: path(),
            source: source(),
        },
        StoreError::Corrupt {
            path: path(),
            found: "it is empty".to_owned(),
        },
        StoreError::NewerStore {
            path: path(),
            found: 2,
            known: 1,
        },
        StoreError::Format {
            key: key.clone(),
            kind,
            found: 2,
            known: 1,
        },
        StoreError::Value {
            key: key.clone(),
            kind,
            source: json(),
        },
        StoreError::NoJson {
            kind,
            source: json(),
        },
        StoreError::Compacted {
            asked: 1,
            oldest: 2,
        },
        StoreError::FutureRevision {
            asked: 3,
            revision: 2,
        },
        StoreError::LeaseNotFound {
            lease: LeaseId(NonZeroU64::MIN),
        },
        StoreError::EmptyKey,
        StoreError::DuplicateKey { key },
        StoreError::TooManyOps { found: 129 },
        StoreError::TooLarge { found: 2_000_000 },
        StoreError::Closed,
    ]
}

#[test]
fn each_fits_after_failed_to() {
    for error in all() {
        let text = error.to_string();
        assert!(text.starts_with(char::is_lowercase), "{text}");
        assert!(!text.ends_with('.') && !text.contains('\n'), "{text}");
        assert!(text.contains(": "), "nothing was found: {text}");
    }
}

#[test]
fn each_error_of_a_file_names_it_and_the_remedy() {
    for error in all().into_iter().take(5) {
        let text = error.to_string();
        assert!(
            text.contains(" the store /var/lib/accelnet/store: "),
            "{text}"
        );
        assert!(text.contains("; "), "{text}");
    }
}
