use super::*;

#[test]
fn a_server_is_a_host_and_a_port() {
    for (server, expected) in [
        ("n1:7443", Some(("n1", 7443))),
        ("n1.example.org:7443", Some(("n1.example.org", 7443))),
        ("192.0.2.1:7443", Some(("192.0.2.1", 7443))),
        ("[2001:db8::1]:7443", Some(("2001:db8::1", 7443))),
        ("https://n1", Some(("n1", 443))),
        ("https://n1:7443/", Some(("n1", 7443))),
        ("https://[::1]", Some(("::1", 443))),
        ("n1", None),
        ("", None),
        (":7443", None),
        ("n1:0", None),
        ("n1:70000", None),
        ("n1:https", None),
        ("http://n1:7443", None),
        ("https://n1:7443/v1", None),
        ("2001:db8::1:7443", None),
        ("[n1]:7443", None),
        ("anna@n1:7443", None),
    ] {
        let read = read(server);
        let read = read.as_ref().map(|(host, port, _)| (host.as_str(), *port));
        assert_eq!(read, expected, "{server:?}");
    }
}
