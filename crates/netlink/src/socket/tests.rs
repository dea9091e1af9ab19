use std::collections::VecDeque;

use super::*;
use crate::abi::{NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_MULTI, NLMSGERR_ATTR_MSG, RTM_NEWLINK};
use crate::attr::Writer;
use crate::message::HEADER;

/// A wire that answers from a script.
struct Script(VecDeque<io::Result<Vec<u8>>>);

impl Wire for Script {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self) -> io::Result<Vec<u8>> {
        let silent = || Err(io::Error::from_raw_os_error(libc::EAGAIN));
        self.0.pop_front().unwrap_or_else(silent)
    }
}

fn request(dump: bool) -> Request {
    Request {
        what: "read the links".to_owned(),
        protocol: 0,
        kind: 18,
        dump,
        flags: 0,
        body: vec![0; 16],
    }
}

/// Asks with one script a try; how many tries were made comes along.
fn run(
    dump: bool,
    scripts: Vec<Vec<io::Result<Vec<u8>>>>,
) -> (Result<Answer, NetlinkError>, usize) {
    let mut scripts = VecDeque::from(scripts);
    let before = scripts.len();
    let result = ask_over(&request(dump), || {
        Ok(Script(scripts.pop_front().unwrap_or_default().into()))
    });
    (result, before - scripts.len())
}

fn message(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    Message {
        kind,
        flags,
        sequence: SEQUENCE,
        body,
    }
    .encode()
}

fn link(flags: u16) -> Vec<u8> {
    message(RTM_NEWLINK, NLM_F_MULTI | flags, &[1; 20])
}

fn done(flags: u16) -> Vec<u8> {
    message(NLMSG_DONE, NLM_F_MULTI | flags, &[0; 4])
}

fn ack(errno: i32, words: &str) -> Vec<u8> {
    let mut body = Writer::new(&[&(-errno).to_ne_bytes()[..], &[0; HEADER]].concat());
    body.text(NLMSGERR_ATTR_MSG, words);
    message(NLMSG_ERROR, NLM_F_CAPPED | NLM_F_ACK_TLVS, &body.finish())
}

fn os(errno: i32) -> io::Result<Vec<u8>> {
    Err(io::Error::from_raw_os_error(errno))
}

#[test]
fn a_list_is_collected_over_datagrams_until_it_is_done() {
    let (result, tries) = run(
        true,
        vec![vec![Ok(link(0)), Ok([link(0), done(0)].concat())]],
    );
    assert_eq!(
        result.map(|answer| answer.messages),
        Ok([link(0), link(0)].concat())
    );
    assert_eq!(tries, 1);
}

#[test]
fn a_list_that_is_never_done_ends_at_the_deadline() {
    let (result, _) = run(true, vec![vec![Ok(link(0))]]);
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("read the links: the kernel did not answer within 10 s".to_owned())
    );
}

#[test]
fn an_answer_without_its_acknowledgement_is_no_answer() {
    let (result, _) = run(false, vec![vec![Ok(link(0))]]);
    assert!(matches!(result, Err(NetlinkError::NoAnswer { .. })));
}

#[test]
fn a_list_that_changed_is_read_again() {
    let changed = || vec![Ok([link(NLM_F_DUMP_INTR), done(0)].concat())];
    let (result, tries) = run(
        true,
        vec![
            changed(),
            vec![Ok(link(0)), Ok(done(NLM_F_DUMP_INTR))],
            vec![Ok([link(0), done(0)].concat())],
        ],
    );
    assert_eq!(result.map(|answer| answer.messages), Ok(link(0)));
    assert_eq!(tries, 3);

    let (result, tries) = run(true, (0..9).map(|_| changed()).collect());
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("read the links: the list changed while it was read, 5 times".to_owned())
    );
    assert_eq!(tries, 5);
}

#[test]
fn a_list_that_outran_us_is_read_again() {
    let (result, tries) = run(true, vec![vec![os(libc::ENOBUFS)], vec![Ok(done(0))]]);
    assert_eq!((result, tries), (Ok(Answer::default()), 2));

    let (result, tries) = run(true, (0..9).map(|_| vec![os(libc::ENOBUFS)]).collect());
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("read the links: recvmsg: no buffer space available".to_owned())
    );
    assert_eq!(tries, 5);
}

#[test]
fn a_change_is_never_sent_twice() {
    let (result, tries) = run(false, vec![vec![os(libc::ENOBUFS)], vec![Ok(ack(0, "x"))]]);
    assert!(matches!(result, Err(NetlinkError::System { .. })));
    assert_eq!(tries, 1);
}

#[test]
fn a_signal_does_not_end_the_wait() {
    let (result, _) = run(
        false,
        vec![vec![os(libc::EINTR), Ok(ack(0, "mind the rate"))]],
    );
    assert_eq!(
        result.map(|answer| answer.warning),
        Ok(Some("mind the rate".to_owned()))
    );
}

#[test]
fn a_refusal_carries_name_and_words() {
    let (result, _) = run(false, vec![vec![Ok(ack(95, "not on this card"))]]);
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("read the links: not on this card (EOPNOTSUPP)".to_owned())
    );
}

#[test]
fn a_refusal_without_words_has_the_librarys() {
    let (result, _) = run(false, vec![vec![Ok(ack(19, ""))]]);
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("read the links: no such device (ENODEV)".to_owned())
    );
}

#[test]
fn answers_to_another_question_cut_ones_and_empty_ones_are_refused() {
    let mut stranger = ack(0, "");
    stranger[8] = 77;
    let cut = ack(0, "")[..19].to_vec();
    let short = message(NLMSG_ERROR, 0, &[0; 3]);
    for datagram in [stranger, cut, short, Vec::new()] {
        let (result, _) = run(false, vec![vec![Ok(datagram)]]);
        assert!(
            matches!(result, Err(NetlinkError::Malformed { .. })),
            "{result:?}"
        );
    }
}

#[test]
fn a_driver_that_hangs_does_not_take_us_with_it() {
    let (hold, held) = mpsc::channel::<()>();
    let result = within("set trust of VF 0", Duration::from_millis(20), move || {
        let _ = held.recv();
        Ok(())
    });
    assert_eq!(
        result.map_err(|error| error.to_string()),
        Err("set trust of VF 0: the kernel did not answer within 0.02 s".to_owned())
    );
    drop(hold);
}

#[test]
fn the_running_kernel_gives_the_reason() {
    // Strict checking (Linux 4.20) refuses `ifi_flags` in a question.
    let mut body = vec![0; 16];
    body[8] = 1;
    for dump in [true, false] {
        let body = body.clone();
        let error = ask(Request {
            body,
            ..request(dump)
        })
        .unwrap_err();
        let NetlinkError::Refused { name, words, .. } = &error else {
            panic!("{error}");
        };
        let words = words.as_deref().unwrap_or_default();
        assert!(words.starts_with("Invalid values in header"), "{error}");
        assert_eq!(name, "EINVAL");
    }
}
