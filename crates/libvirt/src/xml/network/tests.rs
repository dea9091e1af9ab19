use super::*;

fn network_name(xml: &str) -> Option<(String, bool)> {
    NetworkXml::parse(xml).ok()?.name()
}

fn with_uuid(xml: &str, uuid: &str) -> String {
    NetworkXml::parse(xml).unwrap().with_uuid(uuid)
}

#[test]
fn a_definition_is_given_the_uuid_of_its_network() {
    let xml = "<network>\n  <name>lan</name>\n  <forward mode='bridge'/>\n</network>";
    assert_eq!(network_name(xml), Some(("lan".to_owned(), false)));
    let known = with_uuid(xml, "4882606e-ba33-48bf-b501-446371ecabb3");
    assert_eq!(network_name(&known), Some(("lan".to_owned(), true)));
    assert_eq!(
        known.replace("<uuid>4882606e-ba33-48bf-b501-446371ecabb3</uuid>", ""),
        xml
    );
    for text in ["", "<network/>", "<network><name/></network>"] {
        assert_eq!(network_name(text), None, "{text}");
    }
    assert_eq!(with_uuid("<network/>", "x"), "<network/>");
}
