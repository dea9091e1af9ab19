use std::io::{IoSliceMut, Read, Seek};
use std::mem::MaybeUninit;
use std::os::unix::net::UnixDatagram;

use rustix::fs::fcntl_get_seals;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::*;

/// A journal that keeps what it is sent.
struct Fake {
    folder: tempfile::TempDir,
    socket: UnixDatagram,
}

impl Fake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("socket")).unwrap();
        Fake { folder, socket }
    }

    fn journald(&self) -> Journald {
        Journald::at(self.folder.path().join("socket"))
    }

    /// The next record, and whether it came as a file.
    fn next(&self) -> (String, bool) {
        let mut bytes = vec![0; 1 << 20];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = RecvAncillaryBuffer::new(&mut space);
        let into = &mut [IoSliceMut::new(&mut bytes)];
        let got = recvmsg(&self.socket, into, &mut rights, RecvFlags::empty()).unwrap();
        for message in rights.drain() {
            let RecvAncillaryMessage::ScmRights(files) = message else {
                continue;
            };
            let file = files.into_iter().next().unwrap();
            assert!(fcntl_get_seals(&file).unwrap().contains(SealFlags::WRITE));
            let mut text = String::new();
            let mut file = std::fs::File::from(file);
            file.rewind().unwrap();
            file.read_to_string(&mut text).unwrap();
            return (text, true);
        }
        bytes.truncate(got.bytes);
        (String::from_utf8(bytes).unwrap(), false)
    }
}

fn record(text: &str) -> Record {
    Record::default().with("MESSAGE", text)
}

#[test]
fn a_record_is_its_fields_a_line_each_and_no_text_adds_one() {
    let fake = Fake::new();
    let hostile = "web01\nPRIORITY=0\nACCELNET_WHO=root\u{202e}";
    let fields = record(hostile)
        .with_some("A", None)
        .with_some("B", Some("b"));
    fake.journald().write(vec![fields]);
    let (text, in_file) = fake.next();
    assert!(!in_file);
    let wanted = "MESSAGE=web01\\nPRIORITY=0\\nACCELNET_WHO=root\\u{202e}\nB=b\n";
    assert_eq!(text, wanted);
}

#[test]
fn a_large_record_comes_as_a_sealed_file() {
    let fake = Fake::new();
    let long = "x".repeat(4 << 20);
    fake.journald().write(vec![record(&long), record("small")]);
    let (text, in_file) = fake.next();
    assert!(in_file);
    assert_eq!(text.len(), "MESSAGE=\n".len() + long.len());
    assert_eq!(fake.next(), ("MESSAGE=small\n".to_owned(), false));
}

#[test]
fn what_a_missing_journal_lost_is_counted_in_the_next_record() {
    let fake = Fake::new();
    let path = fake.folder.path().join("later");
    let journald = Journald::at(&path);
    journald.write(vec![record("a"), record("b")]);
    journald.write(vec![record("c")]);
    let late = Fake {
        socket: UnixDatagram::bind(&path).unwrap(),
        folder: fake.folder,
    };
    journald.write(vec![record("d"), record("e")]);
    assert_eq!(late.next().0, "MESSAGE=d\nACCELNET_LOST=3\n");
    assert_eq!(late.next().0, "MESSAGE=e\n");
}

#[test]
fn a_journal_that_reads_nothing_is_given_up() {
    let fake = Fake::new();
    let journald = fake.journald();
    // More than its queue holds: the last of them are lost, and this returns.
    journald.write((0..10_000).map(|_| record("x")).collect());
    let lost = journald.0.lost.load(Ordering::Relaxed);
    assert!((1..10_000).contains(&lost), "{lost}");
}
