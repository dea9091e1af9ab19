//! Standard output and standard error, with a failure to write remembered.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Write};

use crate::args::ColorChoice;

/// Exit status of a command whose output could not be written.
pub const NOT_WRITTEN: u8 = 3;

/// Whether to colour what goes to a `terminal`, or elsewhere. `NO_COLOR` and a dumb terminal ask for no colour.
pub fn coloured(
    choice: ColorChoice,
    terminal: bool,
    no_color: Option<&OsStr>,
    term: Option<&OsStr>,
) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            terminal
                && no_color.is_none_or(OsStr::is_empty)
                && term.is_none_or(|term| term != "dumb")
        }
    }
}

/// A writer that keeps its first error: commands go on, and the program reports it at its end.
#[derive(Debug)]
pub struct Checked<W> {
    inner: W,
    error: Option<io::Error>,
}

impl<W: Write> Checked<W> {
    /// Nothing is written yet.
    pub fn new(inner: W) -> Self {
        Checked { inner, error: None }
    }

    /// Writes what is buffered, and returns the first error. A reader that has closed its end
    /// (`| head`) is no error.
    ///
    /// # Errors
    ///
    /// Output was lost.
    pub fn finish(mut self) -> io::Result<()> {
        drop(self.flush());
        match self.error {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn checked<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != ErrorKind::Interrupted
            && self.error.is_none()
        {
            self.error = Some(match error.raw_os_error() {
                Some(number) => io::Error::from_raw_os_error(number),
                None => io::Error::new(error.kind(), error.to_string()),
            });
        }
        result
    }
}

impl<W: Write> Write for Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(bytes);
        self.checked(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.checked(result)
    }
}

/// The exit status of a command that ended with `status`, after a message for lost output.
pub fn ended(status: u8, out: io::Result<()>, err: &mut dyn Write) -> u8 {
    let Err(error) = out else {
        return status;
    };
    drop(write!(
        err,
        "error: the output is incomplete\n  \
           cause: standard output cannot be written: {error}\n  \
           hint:  free space where the output goes, and show the state before you run a change again\n",
    ));
    match status {
        0 => NOT_WRITTEN,
        failed => failed,
    }
}
