//! The station on the wire that answers pings: ARP (RFC 826) and ICMP echo (RFC 792), and nothing else.

const MAC: [u8; 6] = [0x52, 0x54, 0, 0xfe, 0xfe, 0xfe];
pub(super) const ADDRESS: [u8; 4] = [192, 168, 50, 254];

const ARP: [u8; 2] = [0x08, 0x06];
const IPV4: [u8; 2] = [0x08, 0x00];
const ICMP: u8 = 1;
const ECHO: u8 = 8;

/// The answer to a frame that asks the station; none to all others.
pub(super) fn answer(frame: &[u8]) -> Option<Vec<u8>> {
    match frame.get(12..14)?.try_into().ok()? {
        ARP => arp(frame),
        IPV4 if frame[..6] == MAC => ping(frame),
        _ => None,
    }
}

/// "Who has its address?"
fn arp(frame: &[u8]) -> Option<Vec<u8>> {
    // Ethernet and IPv4; a request; for its address.
    let asks = frame.get(14..22)? == [0, 1, 8, 0, 6, 4, 0, 1] && frame.get(38..42)? == ADDRESS;
    if !asks {
        return None;
    }
    let mut answer = frame.to_vec();
    answer[..6].copy_from_slice(&frame[6..12]);
    answer[6..12].copy_from_slice(&MAC);
    answer[21] = 2;
    answer[22..28].copy_from_slice(&MAC);
    answer[28..32].copy_from_slice(&ADDRESS);
    answer[32..42].copy_from_slice(&frame[22..32]);
    Some(answer)
}

fn ping(frame: &[u8]) -> Option<Vec<u8>> {
    let header = usize::from(frame.get(14)? & 0xf) * 4;
    let icmp = 14 + header;
    let asks = *frame.get(23)? == ICMP
        && frame.get(30..34)? == ADDRESS
        && *frame.get(icmp)? == ECHO
        && frame.len() >= icmp + 8;
    if !asks {
        return None;
    }
    let mut answer = frame.to_vec();
    answer[..6].copy_from_slice(&frame[6..12]);
    answer[6..12].copy_from_slice(&MAC);
    // The sum of a header does not change when its addresses change places.
    answer[26..30].copy_from_slice(&ADDRESS);
    answer[30..34].copy_from_slice(&frame[26..30]);
    answer[icmp] = 0;
    // The sum grows by what its first word lost (RFC 1624).
    let sum = u16::from_be_bytes([frame[icmp + 2], frame[icmp + 3]]);
    let (more, carry) = sum.overflowing_add(u16::from(ECHO) << 8);
    let sum = more + u16::from(carry);
    answer[icmp + 2..icmp + 4].copy_from_slice(&sum.to_be_bytes());
    Some(answer)
}
