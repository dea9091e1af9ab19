//! The classic BPF program by which the kernel drops what no process listens for.

use accelnet_model::Mac;
use libc::sock_filter;

use super::FdbWatch;
use crate::abi::{AF_BRIDGE, NDA_LLADDR, NDA_MASTER, NTF_SELF};

/// `BPF_LD | BPF_B | BPF_ABS`.
const LOAD_BYTE: u16 = 0x30;
/// `BPF_LD | BPF_W | BPF_ABS`.
const LOAD_WORD: u16 = 0x20;
/// `BPF_LD | BPF_W | BPF_IND`.
const LOAD_WORD_AT_X: u16 = 0x40;
/// `BPF_LD | BPF_H | BPF_IND`.
const LOAD_HALF_AT_X: u16 = 0x48;
/// `BPF_LD | BPF_IMM`.
const LOAD_NUMBER: u16 = 0x00;
/// `BPF_LDX | BPF_IMM`.
const LOAD_X_NUMBER: u16 = 0x01;
/// `BPF_LD | BPF_MEM`.
const LOAD_KEPT: u16 = 0x60;
/// `BPF_ST`.
const KEEP: u16 = 0x02;
/// `BPF_MISC | BPF_TAX`.
const TO_X: u16 = 0x07;
/// `BPF_JMP | BPF_JEQ | BPF_K`.
const IF_EQUAL: u16 = 0x15;
/// `BPF_JMP | BPF_JSET | BPF_K`.
const IF_BIT: u16 = 0x45;
/// `BPF_RET | BPF_K`.
const RETURN: u16 = 0x06;
/// `SKF_AD_OFF + SKF_AD_NLATTR`: the place of the attribute of kind X, searched from A; 0 for none.
const FIND_ATTRIBUTE: u32 = 0xffff_f000 + 12;

/// Bytes of `struct nlmsghdr`, after which `struct ndmsg` begins.
const NDMSG: u32 = 16;
/// Where the attributes begin.
const ATTRIBUTES: u32 = NDMSG + 12;

/// The kernel takes 4,096 instructions, of which a MAC needs five: a longer list is left out, and what
/// turns up outside is reported whatever its MAC is.
const MOST_MACS: usize = 768;
const MOST_LINKS: usize = 64;

const DROP: sock_filter = op(RETURN, 0, 0, 0);
const ACCEPT: sock_filter = op(RETURN, 0, 0, u32::MAX);

const fn op(code: u16, then: u8, otherwise: u8, number: u32) -> sock_filter {
    sock_filter {
        code,
        jt: then,
        jf: otherwise,
        k: number,
    }
}

/// A number of the machine's byte order, as a load of the program shows it.
fn loaded(number: u32) -> u32 {
    u32::from_be_bytes(number.to_ne_bytes())
}

/// The program that accepts what `watch` names.
pub fn of(watch: &FdbWatch) -> Vec<sock_filter> {
    let mut program = vec![
        op(LOAD_BYTE, 0, 0, NDMSG),
        op(IF_EQUAL, 1, 0, AF_BRIDGE.into()),
        DROP,
        // `ndm_flags`: the filter of a link is no entry of a bridge.
        op(LOAD_BYTE, 0, 0, NDMSG + 10),
        op(IF_BIT, 0, 1, NTF_SELF.into()),
        DROP,
    ];
    program.extend(find(NDA_MASTER));
    program.push(op(LOAD_WORD_AT_X, 0, 0, 4));
    program.extend(unless_one_of(&watch.bridges, DROP));
    // `ndm_ifindex`.
    program.push(op(LOAD_WORD, 0, 0, NDMSG + 4));
    program.extend(unless_one_of(&watch.outside, ACCEPT));
    if watch.macs.len() > MOST_MACS {
        program.push(ACCEPT);
        return program;
    }
    program.extend(find(NDA_LLADDR));
    program.extend([
        op(LOAD_WORD_AT_X, 0, 0, 4),
        op(KEEP, 0, 0, 0),
        op(LOAD_HALF_AT_X, 0, 0, 8),
        op(KEEP, 0, 0, 1),
    ]);
    for mac in &watch.macs {
        program.extend(accept(*mac));
    }
    program.push(DROP);
    program
}

/// X becomes the place of the attribute `kind`; what has none is dropped.
fn find(kind: u16) -> [sock_filter; 6] {
    [
        op(LOAD_X_NUMBER, 0, 0, kind.into()),
        op(LOAD_NUMBER, 0, 0, ATTRIBUTES),
        op(LOAD_WORD, 0, 0, FIND_ATTRIBUTE),
        op(IF_EQUAL, 0, 1, 0),
        DROP,
        op(TO_X, 0, 0, 0),
    ]
}

/// Goes on when A is one of `links`; else returns.
fn unless_one_of(links: &[u32], otherwise: sock_filter) -> Vec<sock_filter> {
    let links = links.get(..MOST_LINKS).unwrap_or(links);
    let mut left = u8::try_from(links.len()).unwrap_or(0);
    let mut program = Vec::new();
    for link in links {
        // Past the others, and past the return.
        program.push(op(IF_EQUAL, left, 0, loaded(*link)));
        left -= 1;
    }
    program.push(otherwise);
    program
}

/// Accepts when the kept MAC is this one.
fn accept(mac: Mac) -> [sock_filter; 5] {
    let [a, b, c, d, e, f] = mac.0;
    [
        op(LOAD_KEPT, 0, 0, 0),
        op(IF_EQUAL, 0, 3, u32::from_be_bytes([a, b, c, d])),
        op(LOAD_KEPT, 0, 0, 1),
        op(IF_EQUAL, 0, 1, u16::from_be_bytes([e, f]).into()),
        ACCEPT,
    ]
}
