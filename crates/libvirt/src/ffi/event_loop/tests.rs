use std::cell::Cell;
use std::sync::mpsc::channel;

use super::*;

#[test]
fn a_round_that_falls_over_is_followed_by_another() {
    let (sender, rounds) = channel();
    // It lasts as long as the process.
    let _looping = thread::spawn(move || {
        let number = Cell::new(0);
        again(|| {
            number.set(number.get() + 1);
            let _ = sender.send(number.get());
            assert!(number.get() > 1, "a defect");
            false
        });
    });
    let rounds: Vec<u32> = rounds.iter().take(3).collect();
    assert_eq!(rounds, [1, 2, 3]);
}
