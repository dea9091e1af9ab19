use super::*;
use crate::limits::Chars;

const KNOWN: &[Parameter] = &[
    Parameter {
        name: "intent",
        kind: Kind::Text(Chars::Printable),
        what: "",
    },
    Parameter {
        name: "wait",
        kind: Kind::Number(0, 60),
        what: "",
    },
    Parameter {
        name: "dry_run",
        kind: Kind::Truth,
        what: "",
    },
];

#[test]
fn a_query_is_read_by_what_is_known() {
    let query = Query::read("intent=My%20Intent+2&wait=3&dry_run=true", KNOWN).expect("a query");
    assert_eq!(query.text("intent"), Some("My Intent 2"));
    assert_eq!(query.number("wait"), Some(3));
    assert!(query.truth("dry_run"));
    let none = Query::read("", KNOWN).expect("a query");
    assert_eq!(
        (
            none.text("intent"),
            none.number("wait"),
            none.truth("dry_run")
        ),
        (None, None, false)
    );
}

#[test]
fn anything_else_is_refused() {
    for text in [
        "x=1",
        "wait=",
        "wait=-1",
        "wait=61",
        "wait=+1",
        "intent=",
        "intent=a%0ab",
        "wait=1&wait=1",
        "dry_run",
        "dry_run=1",
        "=",
        "Wait=1",
    ] {
        assert!(Query::read(text, KNOWN).is_err(), "{text}");
    }
}
