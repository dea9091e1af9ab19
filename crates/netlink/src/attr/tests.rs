use super::*;

fn all(bytes: &[u8]) -> Result<Vec<Attr<'_>>, Malformed> {
    Attrs(bytes).collect()
}

#[test]
fn what_is_written_is_read() {
    let mut writer = Writer::new(&[]);
    writer
        .words(7, &[1, 2])
        .text(3, "eth0")
        .flagged_nest(9, |inner| {
            inner.bytes(1, &[5]);
        });
    let bytes = writer.finish();
    let attrs = all(&bytes).unwrap();
    assert_eq!(attrs[0].words(), Ok([1, 2]));
    assert_eq!(attrs[1].text(), "eth0");
    assert_eq!(attrs[2].kind, 9, "flag bits are not part of the type");
    assert_eq!(all(attrs[2].value).unwrap()[0].u8(), Ok(5));
}

#[test]
fn an_attribute_shorter_than_its_header_is_refused() {
    for length in 0..4u8 {
        assert!(all(&[length, 0, 1, 0]).is_err());
    }
}

#[test]
fn an_attribute_past_the_end_is_refused_and_ends_the_walk() {
    let bytes = [12, 0, 1, 0, 0, 0, 0, 0];
    let mut attrs = Attrs(&bytes);
    let Some(Err(Malformed(why))) = attrs.next() else {
        panic!("should be refused");
    };
    assert_eq!(why, "attribute 1 has length 12, with 8 bytes left");
    assert_eq!(attrs.next(), None);
}

#[test]
fn leftover_bytes_are_refused() {
    assert!(all(&[4, 0, 1, 0, 9]).is_err());
}

#[test]
fn the_padding_of_the_last_attribute_may_be_missing() {
    let attrs = all(&[5, 0, 1, 0, 9]).map(|attrs| attrs.len());
    assert_eq!(attrs, Ok(1));
}

#[test]
fn numbers_of_another_size_are_refused() {
    let short = Attr {
        kind: 4,
        value: &[0; 3],
    };
    let long = Attr {
        kind: 4,
        value: &[0; 5],
    };
    for attr in [short, long] {
        assert!(attr.u32().is_err() && attr.u16().is_err() && attr.u8().is_err());
    }
    assert!(short.words::<1>().is_err());
    assert_eq!(long.words(), Ok([0]), "structs may grow");
}
