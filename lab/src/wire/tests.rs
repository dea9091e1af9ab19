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
    fn receive(&mut self) -> Option<u8> {
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
    assert_eq!(
        (b.receive(), c.receive(), a.receive()),
        (Some(7), Some(7), None)
    );
}

#[test]
fn a_frame_goes_only_where_its_station_was_learned() {
    let (_wire, [mut a, mut b, mut c]) = three();
    b.send(BROADCAST, 1);
    assert_eq!((a.receive(), c.receive()), (Some(1), Some(1)));
    a.send(b.mac, 2);
    assert_eq!((b.receive(), c.receive()), (Some(2), None));
    // One that moved is found where it was learned last.
    let moved = b.mac;
    c.mac = moved;
    c.send(BROADCAST, 3);
    assert_eq!((a.receive(), b.receive()), (Some(3), Some(3)));
    a.send(moved, 4);
    assert_eq!((c.receive(), b.receive()), (Some(4), None));
}

#[test]
fn a_port_that_is_cut_neither_sends_nor_receives_until_it_is_reconnected() {
    let (wire, [mut a, mut b, mut c]) = three();
    wire.cut(1, true);
    a.send(BROADCAST, 1);
    assert_eq!((c.receive(), b.receive()), (Some(1), None));
    b.send(BROADCAST, 2);
    assert_eq!((a.receive(), c.receive()), (None, None));
    wire.cut(1, false);
    b.send(BROADCAST, 3);
    assert_eq!((a.receive(), c.receive()), (Some(3), Some(3)));
}

#[test]
fn a_station_that_comes_back_is_learned_again() {
    let (wire, [mut a, b, _c]) = three();
    b.stream.shutdown(Shutdown::Both).expect("an end");
    while lock(&wire.state).ports.contains_key(&1) {
        thread::yield_now();
    }
    let mut b = Station::plug(&wire, 1);
    a.send(BROADCAST, 5);
    assert_eq!(b.receive(), Some(5));
}

#[test]
fn a_wire_that_is_dropped_lets_its_stations_go() {
    let (wire, [mut a, _b, _c]) = three();
    drop(wire);
    let mut byte = [0];
    assert_eq!(a.stream.read(&mut byte).expect("an end"), 0);
}

/// The Internet checksum of a header or message that holds its own: 0 when it is right.
fn sum(bytes: &[u8]) -> u16 {
    let words = bytes
        .chunks(2)
        .map(|pair| u32::from(pair[0]) << 8 | pair.get(1).map_or(0, |low| u32::from(*low)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).expect("folded")
}

#[test]
fn the_station_answers_pings_and_nothing_else() {
    let (_wire, [mut a, mut b, _c]) = three();
    let from = a.mac;
    let ask = |stream: &mut UnixStream, to: Mac, rest: &[u8]| {
        let mut frame = to.to_vec();
        frame.extend(from);
        frame.extend(rest);
        let length = u32::try_from(frame.len()).expect("short");
        stream.write_all(&length.to_be_bytes()).expect("sent");
        stream.write_all(&frame).expect("sent");
    };
    let receive = |stream: &mut UnixStream| {
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("a length");
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        stream.read_exact(&mut frame).expect("a frame");
        frame
    };
    let mut arp = vec![8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
    arp.extend(from);
    arp.extend([192, 168, 50, 101, 0, 0, 0, 0, 0, 0, 192, 168, 50, 254]);
    ask(&mut a.stream, BROADCAST, &arp);
    let answer = receive(&mut a.stream);
    assert_eq!(answer[..6], from);
    assert_eq!(answer[20..22], [0, 2]);
    let station: Mac = answer[22..28].try_into().expect("a MAC");
    assert_eq!(answer[28..32], [192, 168, 50, 254]);
    assert_eq!(answer[38..42], [192, 168, 50, 101]);

    let mut ping = vec![
        8, 0, 0x45, 0, 0, 30, 0, 0, 0, 0, 64, 1, 0, 0, 192, 168, 50, 101,
    ];
    ping.extend([192, 168, 50, 254, 8, 0, 0, 0, 0x12, 0x34, 0, 7, b'h', b'i']);
    let header = sum(&ping[2..22]);
    ping[12..14].copy_from_slice(&header.to_be_bytes());
    let message = sum(&ping[22..]);
    ping[24..26].copy_from_slice(&message.to_be_bytes());
    ask(&mut a.stream, station, &ping);
    let answer = receive(&mut a.stream);
    assert_eq!((answer[34], &answer[38..44]), (0, &ping[26..32]));
    assert_eq!((sum(&answer[14..34]), sum(&answer[34..])), (0, 0));
    assert_eq!(answer[26..30], [192, 168, 50, 254]);
    // All else goes on its way.
    assert_eq!(b.receive(), None);
    a.send(BROADCAST, 9);
    assert_eq!(b.receive(), Some(9));
}
