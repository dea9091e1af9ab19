use super::*;

#[test]
fn a_field_is_found_on_its_line() {
    let text = "{\"vms\": [\n  {\"name\": \"a\"},\n  {\"name\": \"b\",\n   \"node\": \"n9\"}],\n \"ask\": []}";
    let line = |field: &[&str]| {
        let field: Vec<String> = field.iter().map(|part| (*part).to_owned()).collect();
        line_of(text, &field)
    };
    assert_eq!(line(&["vms", "0", "name"]), Some(2));
    assert_eq!(line(&["vms", "1", "name"]), Some(3));
    assert_eq!(line(&["vms", "1", "node"]), Some(4));
    assert_eq!(line(&["ask"]), Some(5));
    // A field that was left out has no line.
    assert_eq!(line(&["nodes"]), None);
    assert_eq!(line(&["vms", "0", "node"]), None);
}
