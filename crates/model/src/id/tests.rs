use proptest::prelude::*;

use super::*;
use crate::NodeName;

#[test]
fn a_uuid_is_nothing_else() {
    let text = "3F6E0B52-8f4e-4a7c-9d6b-0a1b2c3d4e5f";
    let uuid: Uuid = text.parse().expect("a UUID");
    assert_eq!(uuid, "3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5f");
    for text in [
        "",
        "../../../../x",
        "3f6e0b528f4e4a7c9d6b0a1b2c3d4e5f",
        "3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5",
        "3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5f\n",
        "3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5g",
        "{3f6e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5f}",
        "../e0b52-8f4e-4a7c-9d6b-0a1b2c3d4e5f",
    ] {
        assert!(text.parse::<Uuid>().is_err(), "{text:?}");
        assert!(serde_json::from_value::<Uuid>(text.into()).is_err());
    }
}

#[test]
fn names_are_what_their_owners_take() {
    for name in ["Compute-1", "a.b_c"] {
        assert!(name.parse::<IntentName>().is_ok(), "{name:?}");
    }
    for name in ["", "../x", ".a", "a/b", "a b", "a\0", &"a".repeat(33)] {
        assert!(name.parse::<IntentName>().is_err(), "{name:?}");
    }
    for name in ["web 01", "Überwachung", "a\\b"] {
        assert!(name.parse::<VmName>().is_ok(), "{name:?}");
    }
    for name in [
        "",
        ".",
        "..",
        "a/b",
        "a\nb",
        "a\u{1b}[31mb",
        &"a".repeat(252),
    ] {
        assert!(name.parse::<VmName>().is_err(), "{name:?}");
    }
}

proptest! {
    /// Whatever is accepted is one plain part of a path, short enough for a file's name, and reads back.
    #[test]
    fn no_id_leads_out_of_its_folder(text in any_text()) {
        let folder = std::path::Path::new("/run/accelnet/vms");
        let stays = |id: &str| {
            let file = folder.join(format!("{id}.json"));
            file.parent() == Some(folder) && file.components().count() == 5 && id.len() <= 253
        };
        if let Ok(id) = text.parse::<Uuid>() {
            prop_assert!(stays(&id) && id.len() == 36);
            prop_assert_eq!(id.parse::<Uuid>(), Ok(id.clone()));
        }
        if let Ok(id) = text.parse::<NodeName>() {
            prop_assert!(stays(&id) && id == text);
        }
        if let Ok(id) = text.parse::<IntentName>() {
            prop_assert!(stays(&id) && id == text);
        }
        if let Ok(id) = text.parse::<VmName>() {
            prop_assert!(stays(&id) && !id.contains(char::is_control));
        }
    }

    #[test]
    fn what_is_valid_reads_back_as_json(uuid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") {
        let uuid: Uuid = uuid.parse().expect("a UUID");
        let text = serde_json::to_string(&uuid).expect("JSON");
        prop_assert_eq!(serde_json::from_str::<Uuid>(&text).expect("a UUID"), uuid);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[./a-f0-9\\\\\n-]{0,48}",
        "[0-9a-fA-F./]{8}-[0-9a-f./]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        "[a-zA-Z0-9._-]{1,300}",
    ]
}
