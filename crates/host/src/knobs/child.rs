//! A child process for one call of the kernel that may never return.
//!
//! It is a copy of this process, not another program: to start a program takes longer than some
//! changes. A copy has one thread of several, so that whatever the others held is held for ever
//! there: it does nothing but call the kernel, and so allocates nothing (`fork(2)`,
//! `signal-safety(7)`).
#![expect(
    unsafe_code,
    reason = "no crate makes a copy of a process and vouches for what the copy does"
)]

use std::ffi::CStr;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};

/// What a child is called in lists of processes, of which it may be long in one.
const NAME: &CStr = c"accelnet-knob";

/// The longest answer, with the number before it: an attribute has a page at most, and what is
/// written into a pipe at once comes out at once up to a page (`PIPE_BUF` of `pipe(7)`).
const LONGEST: usize = 4096;

/// Bytes of the error number that an answer begins with.
const NUMBER: usize = size_of::<i32>();

/// The niceness of a child that has nothing left to do but end.
const LAST: i32 = 19;

/// What a child does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task<'a> {
    /// Reads a file in one call.
    Read(&'a CStr),
    /// Writes into a file that is there in one call.
    Write(&'a CStr, &'a [u8]),
}

/// A child at work.
#[derive(Debug)]
pub(super) struct Child {
    pid: Pid,
    answer: PipeReader,
}

/// How a child did.
#[derive(Debug)]
pub(super) enum Ended {
    /// What the kernel answered.
    Answered(io::Result<Vec<u8>>),
    /// It was ended by another process before it had an answer.
    Killed(ExitStatus),
}

impl Child {
    /// Starts one. Of what this process has open it keeps `kept` alone, until the kernel has
    /// answered.
    ///
    /// # Errors
    ///
    /// There is no room for one more process, or for a pipe to it.
    pub fn start(task: Task<'_>, kept: Option<BorrowedFd<'_>>) -> io::Result<Child> {
        let (answer, says) = io::pipe()?;
        // SAFETY: what the copy runs, `work`, calls the kernel and nothing else, and does not
        // return.
        match unsafe { libc::fork() } {
            0 => work(task, kept, &says),
            number if number < 0 => Err(io::Error::last_os_error()),
            number => match Pid::from_raw(number) {
                Some(pid) => Ok(Child { pid, answer }),
                None => Err(io::ErrorKind::InvalidData.into()),
            },
        }
    }

    /// Waits for the answer for no longer than `within`; none when there is none by then.
    pub fn wait(&mut self, within: Duration) -> Option<Ended> {
        let timeout = Timespec::try_from(within).ok();
        let mut ready = [PollFd::new(&self.answer, PollFlags::IN)];
        loop {
            return match poll(&mut ready, timeout.as_ref()) {
                Ok(0) => None,
                Ok(_) => Some(self.ended()),
                Err(Errno::INTR) => continue,
                Err(error) => Some(Ended::Answered(Err(error.into()))),
            };
        }
    }

    fn ended(&mut self) -> Ended {
        let mut bytes = [0; LONGEST];
        let read = match self.answer.read(&mut bytes) {
            Ok(read) => read,
            Err(error) => return Ended::Answered(Err(error)),
        };
        match bytes[..read].split_first_chunk::<NUMBER>() {
            Some((number, text)) => Ended::Answered(match i32::from_ne_bytes(*number) {
                0 => Ok(text.to_vec()),
                number => Err(io::Error::from_raw_os_error(number)),
            }),
            None => match waitpid(Some(self.pid), WaitOptions::empty()) {
                Ok(Some((_, status))) => Ended::Killed(ExitStatus::from_raw(status.as_raw())),
                Ok(None) => Ended::Answered(Err(io::ErrorKind::UnexpectedEof.into())),
                Err(error) => Ended::Answered(Err(error.into())),
            },
        }
    }

    /// Waits for the end of one that has answered: it has nothing left to do.
    pub fn end(self) {
        let _ = waitpid(Some(self.pid), WaitOptions::empty());
    }

    /// Whether it has ended; if so, nothing of it is left. Nothing is waited for.
    pub fn is_gone(&self) -> bool {
        !matches!(waitpid(Some(self.pid), WaitOptions::NOHANG), Ok(None))
    }
}

/// All that a child does.
fn work(task: Task<'_>, kept: Option<BorrowedFd<'_>>, says: &PipeWriter) -> ! {
    let mut answer = [0; LONGEST];
    let (number, length) = match alone(kept, says).and_then(|()| run(task, &mut answer[NUMBER..])) {
        Ok(length) => (0, length),
        Err(error) => (error.raw_os_error(), 0),
    };
    answer[..NUMBER].copy_from_slice(&i32::to_ne_bytes(number));
    // What was kept is let go before it is reported that the kernel is done.
    let _ = rustix::stdio::dup2_stdin(rustix::stdio::stdout());
    if let Task::Write(..) = task {
        // To end takes a while, and the parent has more to do.
        let _ = rustix::process::nice(LAST);
    }
    // A parent that has stopped waiting has closed the pipe.
    let _ = rustix::io::write(rustix::stdio::stdout(), &answer[..NUMBER + length]);
    // SAFETY: ends this process, and nothing of what the copied one had meant to do at its end.
    unsafe { libc::_exit(0) }
}

/// Lets go of all that the copied process has open: the process that waits for the end of a pipe, or for a
/// lock, would wait as long as the kernel does.
fn alone(kept: Option<BorrowedFd<'_>>, says: &PipeWriter) -> Result<(), Errno> {
    rustix::stdio::dup2_stdin(kept.unwrap_or(says.as_fd()))?;
    rustix::stdio::dup2_stdout(says)?;
    let (first, last, flags) = (libc::STDERR_FILENO, libc::c_uint::MAX, 0);
    // SAFETY: this process uses none of them any more, and is the only one that they are closed in.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, last, flags) };
    if closed != 0 {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::NOSYS));
    }
    // A name is for people.
    let _ = rustix::thread::set_name(NAME);
    Ok(())
}

/// Does `task`; returns how much of `answer` it filled.
fn run(task: Task<'_>, answer: &mut [u8]) -> Result<usize, Errno> {
    let open = |path, flags| openat(CWD, path, flags | OFlags::CLOEXEC, Mode::empty());
    match task {
        Task::Read(path) => rustix::io::read(open(path, OFlags::RDONLY)?, answer),
        Task::Write(path, value) => match rustix::io::write(open(path, OFlags::WRONLY)?, value)? {
            written if written == value.len() => Ok(0),
            _ => Err(Errno::IO),
        },
    }
}

#[cfg(test)]
mod tests;
