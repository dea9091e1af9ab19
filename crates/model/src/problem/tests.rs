use super::*;

#[test]
fn names_stand_where_the_catalogue_leaves_room() {
    let names = ["ens1", "0000:01:00.0"];
    let problem = Problem::new(Code::AdapterLost, &names, "Nothing is left.");
    assert!(
        problem.message.starts_with("Adapter ens1 or "),
        "{problem:?}"
    );
    assert!(
        problem.resolution.contains("echo 0000:01:00.0 >"),
        "{problem:?}"
    );
}

#[test]
fn an_empty_name_is_seen() {
    let problem = Problem::new(Code::AdapterLost, &["", "x"], "Nothing is left.");
    assert!(problem.message.starts_with("Adapter '' or "), "{problem:?}");
}

#[test]
fn a_name_with_braces_is_left_as_it_is() {
    let problem = Problem::new(Code::AdapterLost, &["{1}", "second"], "Nothing is left.");
    assert!(
        problem.message.starts_with("Adapter {1} or "),
        "{problem:?}"
    );
}

#[test]
fn a_case_names_the_code_that_it_stands_under() {
    let problem = Problem::new(Code::IommuOff, &["n1"], "No IOMMU.");
    assert_eq!(problem.document_code, Some(Code::AccelNetNotSupported));
    assert_eq!(problem.exit_status(), 33);
    let json = serde_json::to_value(&problem).expect("JSON");
    assert_eq!(json["code"], "iommu_off");
    assert_eq!(json.get("cause"), None);
    assert_eq!(
        serde_json::from_value::<Problem>(json).expect("the same"),
        problem
    );
}
