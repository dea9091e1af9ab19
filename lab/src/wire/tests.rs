use std::time::Duration;

use super::*;

const BROADCAST: Mac = [0xff; 6];

/// A station on a port, with a MAC that ends in its port's number.
struct Station {
    stream: UnixStream,
    mac: Mac,
}

impl Station {
    fn plug(wire: &Wire, port: usize) -> Self {
        let stream = UnixStream::connect(wire.socket(port)).expect("a port");
        stream
            .set_read_timeout(Some(Duration::from_millis(500)))
            .expect("a deadline");
        let number = u8::try_from(port).expect("few ports");
        // Plugged when the switch has it.
        while !lock(&wire.state).ports.contains_key(&port) {
            thread::yield_now();
        }
        Station {
            stream,
            mac: [2, 0, 0, 0, 0, number],
        }
    }

    fn send(&mut self, to: Mac, word: u8) {
        let mut frame = vec![0, 0, 0, 13];
        frame.extend(to);
        frame.extend(self.mac);
        frame.push(word);
        self.stream.write_all(&frame).expect("a frame sent");
    }

    /// The word of the next frame; none when there is none.
    fn hear(&mut self) -> Option<u8> {
        let mut frame = [0; 17];
        self.stream.read_exact(&mut frame).ok()?;
        assert_eq!(frame[..4], [0, 0, 0, 13]);
        Some(frame[16])
    }
}

fn three() -> (Wire, [Station; 3]) {
    let wire = Wire::new(3).expect("a wire");
    let stations = [0, 1, 2].map(|port| Station::plug(&wire, port));
    (wire, stations)
}

#[test]
fn a_broadcast_reaches_all_but_its_sender() {
    let (_wire, [mut a, mut b, mut c]) = three();
    a.send(BROADCAST, 7);
    assert_eq!((b.hear(), c.hear(), a.hear()), (Some(7), Some(7), None));
}

#[test]
fn a_frame_goes_only_where_its_station_was_heard() {
    let (_wire, [mut a, mut b, mut c]) = three();
    b.send(BROADCAST, 1);
    assert_eq!((a.hear(), c.hear()), (Some(1), Some(1)));
    a.send(b.mac, 2);
    assert_eq!((b.hear(), c.hear()), (Some(2), None));
    // One that moved is found where it was heard last.
    let moved = b.mac;
    c.mac = moved;
    c.send(BROADCAST, 3);
    assert_eq!((a.hear(), b.hear()), (Some(3), Some(3)));
    a.send(moved, 4);
    assert_eq!((c.hear(), b.hear()), (Some(4), None));
}

#[test]
fn a_port_that_is_cut_neither_sends_nor_hears_until_it_is_mended() {
    let (wire, [mut a, mut b, mut c]) = three();
    wire.cut(1, true);
    a.send(BROADCAST, 1);
    assert_eq!((c.hear(), b.hear()), (Some(1), None));
    b.send(BROADCAST, 2);
    assert_eq!((a.hear(), c.hear()), (None, None));
    wire.cut(1, false);
    b.send(BROADCAST, 3);
    assert_eq!((a.hear(), c.hear()), (Some(3), Some(3)));
}

#[test]
fn a_station_that_comes_back_is_heard_again() {
    let (wire, [mut a, b, _c]) = three();
    b.stream.shutdown(Shutdown::Both).expect("an end");
    while lock(&wire.state).ports.contains_key(&1) {
        thread::yield_now();
    }
    let mut b = Station::plug(&wire, 1);
    a.send(BROADCAST, 5);
    assert_eq!(b.hear(), Some(5));
}

#[test]
fn a_wire_that_is_dropped_lets_its_stations_go() {
    let (wire, [mut a, _b, _c]) = three();
    drop(wire);
    let mut byte = [0];
    assert_eq!(a.stream.read(&mut byte).expect("an end"), 0);
}
