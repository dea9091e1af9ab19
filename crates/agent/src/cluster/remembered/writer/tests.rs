use super::*;

fn content() -> Saved {
    Saved {
        format: 1,
        known: None,
        ranges: Vec::new(),
    }
}

#[test]
fn what_comes_after_a_panic_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::new(folder.path().join("last-read"));
    let pending = writer.pending.clone();
    *pending.lock().unwrap() = Pending {
        work: Work {
            newest: Some(content()),
            revision: None,
        },
        writes: true,
    };
    let panicked = thread::spawn(move || write_all(&pending, |_| panic!("a defect")));
    assert!(panicked.join().is_err());
    writer.write(content());
    // The thread that it has begun by now ends when it has written.
    while writer.pending.lock().unwrap().writes {
        thread::yield_now();
    }
    assert!(folder.path().join("last-read").exists());
}
