use super::*;

#[test]
fn known_numbers_have_names_and_sentences() {
    assert_eq!(name(95), Some("EOPNOTSUPP"));
    assert_eq!(sentence(95), "operation not supported");
    assert_eq!(name(524), Some("ENOTSUPP"));
    assert_eq!(name(9999), None);
    assert_eq!(sentence(9999), "unknown error 9999");
}
