//! One question to the kernel: sent, answered whole, acknowledged, within a deadline.
//! Each has a socket and a thread of its own: the kernel works on a question inside the
//! sender's `sendmsg`, so a driver that hangs would otherwise take the caller with it.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::NetlinkError;
use crate::abi::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NLMSG_OVERRUN,
};
use crate::ack::Ack;
use crate::attr::Malformed;
use crate::message::{Message, Messages};

mod wire;

#[cfg(test)]
mod tests;

use wire::{KernelWire, Wire};

/// How long the kernel may take.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How often a list is read again that changed meanwhile, or outran us.
const TRIES: u32 = 5;

/// The sequence number of every question: each has a socket of its own.
const SEQUENCE: u32 = 1;

/// A question.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is asked, as in "read the links".
    pub what: String,
    /// `NETLINK_ROUTE` or `NETLINK_GENERIC`.
    pub protocol: isize,
    /// Message type.
    pub kind: u16,
    /// Whether all there are is requested (`NLM_F_DUMP`).
    pub dump: bool,
    /// `NLM_F_CREATE` and the like; 0 for none.
    pub flags: u16,
    /// Fixed part and attributes.
    pub body: Vec<u8>,
}

/// An answer that is known to be whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Messages, with their headers, one after the other.
    pub messages: Vec<u8>,
    /// Warnings of the kernel about a request that succeeded.
    pub warning: Option<String>,
}

/// Asks the kernel, in the network namespace of the calling thread.
pub fn ask(request: Request) -> Result<Answer, NetlinkError> {
    let what = request.what.clone();
    within(&what, DEADLINE, move || {
        ask_over(&request, || KernelWire::open(request.protocol, DEADLINE))
    })
}

/// Does `work` on a thread of its own, and waits for it at most `deadline`. Threads are in
/// the network namespace of the one that starts them.
fn within<T: Send + 'static>(
    what: &str,
    deadline: Duration,
    work: impl FnOnce() -> Result<T, NetlinkError> + Send + 'static,
) -> Result<T, NetlinkError> {
    let (sender, receiver) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("netlink".to_owned())
        .spawn(move || sender.send(work()))
        .map_err(|error| NetlinkError::system(what, "clone", &error))?;
    match receiver.recv_timeout(deadline) {
        Ok(result) => result,
        Err(_) => Err(NetlinkError::NoAnswer {
            what: what.to_owned(),
            waited: deadline,
        }),
    }
}

/// Why a try is worth another.
enum Again {
    Interrupted,
    Overrun,
}

/// Asks over wires that `open` makes, a fresh one for every try.
fn ask_over<W: Wire>(
    request: &Request,
    mut open: impl FnMut() -> Result<W, (&'static str, io::Error)>,
) -> Result<Answer, NetlinkError> {
    let system = |(call, error): (&'static str, io::Error)| match error.raw_os_error() {
        Some(libc::EAGAIN) => NetlinkError::NoAnswer {
            what: request.what.clone(),
            waited: DEADLINE,
        },
        _ => NetlinkError::system(&request.what, call, &error),
    };
    let mut last = Again::Interrupted;
    for _ in 0..TRIES {
        let mut wire = open().map_err(system)?;
        wire.send(&encode(request))
            .map_err(|error| system(("sendmsg", error)))?;
        match collect(&mut wire, request)? {
            Ok(answer) => return Ok(answer),
            Err(again) => last = again,
        }
    }
    Err(match last {
        Again::Interrupted => NetlinkError::Interrupted {
            what: request.what.clone(),
            tries: TRIES,
        },
        Again::Overrun => system(("recvmsg", io::Error::from_raw_os_error(libc::ENOBUFS))),
    })
}

fn encode(request: &Request) -> Vec<u8> {
    let mode = if request.dump { NLM_F_DUMP } else { NLM_F_ACK };
    Message {
        kind: request.kind,
        flags: NLM_F_REQUEST | mode | request.flags,
        sequence: SEQUENCE,
        body: &request.body,
    }
    .encode()
}

/// Receives until the question is acknowledged.
fn collect(wire: &mut impl Wire, request: &Request) -> Result<Result<Answer, Again>, NetlinkError> {
    let malformed = |reason: Malformed| NetlinkError::malformed(&request.what, reason);
    let mut answer = Answer::default();
    let mut interrupted = false;
    loop {
        let datagram = match wire.receive() {
            Ok(datagram) => datagram,
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR) => continue,
                Some(libc::ENOBUFS) if request.dump => return Ok(Err(Again::Overrun)),
                Some(libc::EAGAIN) => {
                    return Err(NetlinkError::NoAnswer {
                        what: request.what.clone(),
                        waited: DEADLINE,
                    });
                }
                _ => return Err(NetlinkError::system(&request.what, "recvmsg", &error)),
            },
        };
        if datagram.is_empty() {
            return Err(malformed(Malformed::new("it is empty")));
        }
        for message in Messages(&datagram) {
            let message = message.map_err(malformed)?;
            if message.sequence != SEQUENCE {
                return Err(malformed(Malformed(format!(
                    "it answers question {} instead of {SEQUENCE}",
                    message.sequence
                ))));
            }
            interrupted |= message.flags & NLM_F_DUMP_INTR != 0;
            match message.kind {
                NLMSG_OVERRUN => return Ok(Err(Again::Overrun)),
                NLMSG_ERROR | NLMSG_DONE => {
                    let ack = Ack::of(&message)
                        .ok_or_else(|| malformed(Malformed::new("an acknowledgement is short")))?;
                    return match ack.errno {
                        0 if interrupted => Ok(Err(Again::Interrupted)),
                        0 => {
                            answer.warning = ack.explanation();
                            Ok(Ok(answer))
                        }
                        // A list that outgrew itself, or changed under the kernel's hands.
                        libc::EINTR if request.dump => Ok(Err(Again::Interrupted)),
                        _ => Err(NetlinkError::refused(&request.what, ack)),
                    };
                }
                _ => answer.messages.extend_from_slice(&message.encode()),
            }
        }
    }
}
