use proptest::prelude::*;

use super::*;
use crate::attr::Writer;

/// An `NLMSG_ERROR` as `netlink_ack()` of the kernel writes it, in answer to `request`.
fn refusal(errno: i32, request: &[u8], capped: bool, fill: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let copied = if capped { &request[..HEADER] } else { request };
    let mut body = Writer::new(&[&errno.wrapping_neg().to_ne_bytes(), copied].concat());
    fill(&mut body);
    Message {
        kind: NLMSG_ERROR,
        flags: NLM_F_ACK_TLVS | if capped { NLM_F_CAPPED } else { 0 },
        sequence: 1,
        body: &body.finish(),
    }
    .encode()
}

fn request() -> Vec<u8> {
    Message {
        kind: 19,
        flags: 5,
        sequence: 1,
        body: &[7; 32],
    }
    .encode()
}

#[test]
fn the_kernels_words_are_found_behind_a_capped_and_a_whole_request() {
    for capped in [true, false] {
        let bytes = refusal(95, &request(), capped, |tail| {
            tail.text(NLMSGERR_ATTR_MSG, "Driver does not do that")
                .words(NLMSGERR_ATTR_OFFS, &[52]);
        });
        let ack = Ack::find(&bytes).unwrap();
        assert_eq!(ack.errno, 95);
        assert_eq!(ack.words.as_deref(), Some("Driver does not do that"));
        assert_eq!(ack.offset, Some(52));
    }
}

#[test]
fn a_warning_comes_with_success() {
    let bytes = refusal(0, &request(), true, |tail| {
        tail.text(NLMSGERR_ATTR_MSG, "rounded to 100 Mb/s");
    });
    let ack = Ack::find(&bytes).unwrap();
    assert_eq!(
        (ack.errno, ack.words.as_deref()),
        (0, Some("rounded to 100 Mb/s"))
    );
}

#[test]
fn a_missing_attribute_is_named() {
    let bytes = refusal(22, &request(), true, |tail| {
        tail.words(NLMSGERR_ATTR_MISS_TYPE, &[3]);
    });
    let ack = Ack::find(&bytes).unwrap();
    assert_eq!(ack.explanation().as_deref(), Some("attribute 3 is missing"));
}

#[test]
fn without_a_tail_the_number_stands_alone() {
    let bytes = refusal(1, &request(), true, |_| {});
    assert_eq!(
        Ack::find(&bytes),
        Some(Ack {
            errno: 1,
            ..Ack::default()
        })
    );
}

#[test]
fn no_code_but_zero_is_success() {
    for code in [i32::MIN, -1, 1, i32::MAX] {
        let ack = Ack::find(&refusal(code.wrapping_neg(), &request(), true, |_| {}));
        assert!(ack.is_some_and(|ack| ack.errno > 0), "{code}");
    }
}

#[test]
fn a_broken_tail_does_not_hide_the_number() {
    let bytes = refusal(16, &request(), true, |tail| {
        tail.bytes(NLMSGERR_ATTR_MSG, b"unfinished");
    });
    for cut in 16 + 4..bytes.len() {
        let mut bytes = bytes[..cut].to_vec();
        bytes[..4].copy_from_slice(&(cut as u32).to_ne_bytes());
        assert_eq!(Ack::find(&bytes).map(|ack| ack.errno), Some(16));
    }
}

#[test]
fn the_end_of_a_dump_may_carry_an_error() {
    let mut body = Writer::new(&(-22i32).to_ne_bytes());
    body.text(NLMSGERR_ATTR_MSG, "no such filter");
    let bytes = Message {
        kind: NLMSG_DONE,
        flags: NLM_F_ACK_TLVS,
        sequence: 1,
        body: &body.finish(),
    }
    .encode();
    let ack = Ack::find(&bytes).unwrap();
    assert_eq!(
        (ack.errno, ack.words.as_deref()),
        (22, Some("no such filter"))
    );
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..200), flags: u16) {
        let _ = Ack::find(&bytes);
        for kind in [NLMSG_ERROR, NLMSG_DONE] {
            let message = Message { kind, flags, sequence: 0, body: &bytes };
            let _ = Ack::find(&message.encode());
        }
    }
}
