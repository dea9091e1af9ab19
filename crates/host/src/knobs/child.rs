//! The child that reads or writes what may hang, and what its parent makes of it.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdout, ExitStatus};
use std::sync::mpsc::Sender;

use accelnet_model::vf_plan::Refusal;

/// Status of a child that was called wrongly; no error number of Linux is that high.
pub(super) const CALLED_WRONGLY: i32 = 255;

/// The niceness of a child that has said all it had to say.
const LAST: i32 = 19;

/// Runs the child with the arguments after [`super::CHILD`]; returns its exit status.
///
/// `read PATH...` prints a line `PLACE ok TEXT` or `PLACE errno NUMBER` for each path, as
/// each answers. `write` waits for a line `VALUE PATH` on its standard input, and ends with
/// the error number as its status; before it ends, which takes a while, it lets go of its
/// standard output, which is the lock, and says the number on standard error.
pub fn run(args: impl Iterator<Item = OsString>) -> i32 {
    let mut args = args.peekable();
    let writes = args.peek().is_some_and(|verb| verb == "write");
    let status = run_with(args, io::stdin().lock());
    if writes && let Ok(null) = std::fs::File::open("/dev/null") {
        // Where that does not work, the end of this process tells.
        if rustix::stdio::dup2_stdout(null).is_ok() {
            drop(writeln!(io::stderr(), "{status}"));
            // Nobody waits for its end, and the parent has more to do.
            let _ = rustix::process::nice(LAST);
        }
    }
    status
}

fn run_with(mut args: impl Iterator<Item = OsString>, mut orders: impl BufRead) -> i32 {
    match args.next().as_ref().and_then(|verb| verb.to_str()) {
        Some("read") => {
            std::thread::scope(|scope| {
                for (place, path) in args.enumerate() {
                    scope.spawn(move || print(place, std::fs::read_to_string(path)));
                }
            });
            0
        }
        Some("write") => {
            let mut order = String::new();
            match orders.read_line(&mut order) {
                // The parent has found nothing to write, or is gone.
                Ok(0) => 0,
                Ok(_) => match order.trim_end().split_once(' ') {
                    Some((value, path)) => status_of(write(path, value)),
                    None => CALLED_WRONGLY,
                },
                Err(error) => status_of(Err(error)),
            }
        }
        _ => CALLED_WRONGLY,
    }
}

/// One write call, into a file that is there.
pub(super) fn write(path: impl AsRef<Path>, value: impl AsRef<OsStr>) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).open(path)?;
    file.write_all(value.as_ref().as_encoded_bytes())
}

fn print(place: usize, answer: io::Result<String>) {
    let line = match answer {
        Ok(text) => format!("{place} ok {}\n", text.trim().replace('\n', " ")),
        Err(error) => format!("{place} errno {}\n", error.raw_os_error().unwrap_or(5)),
    };
    // A parent that has stopped waiting has closed the pipe.
    drop(io::stdout().lock().write_all(line.as_bytes()));
}

fn status_of(result: io::Result<()>) -> i32 {
    match result {
        Ok(()) => 0,
        Err(error) => error.raw_os_error().unwrap_or(CALLED_WRONGLY),
    }
}

/// What a write child said before its end; none when that was nothing.
pub(super) fn said(errors: impl io::Read) -> Option<i32> {
    let mut line = String::new();
    BufReader::new(errors).read_line(&mut line).ok()?;
    line.trim().parse().ok()
}

/// What the number that a write child said means.
pub(super) fn meaning(number: i32) -> Result<(), Refusal> {
    match number {
        0 => Ok(()),
        number => Err(Refusal::from_io(&io::Error::from_raw_os_error(number))),
    }
}

/// What a write child's end means.
pub(super) fn verdict(status: ExitStatus) -> Result<(), Refusal> {
    match status.code() {
        Some(number) if number != CALLED_WRONGLY => meaning(number),
        _ => Err(Refusal::Errno {
            number: 0,
            text: format!("the writing process ended with {status}"),
        }),
    }
}

/// Hands on a read child's lines as they come.
pub(super) fn read_answers(
    output: Option<ChildStdout>,
    sender: &Sender<(usize, io::Result<String>)>,
) {
    let Some(output) = output else { return };
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        let mut words = line.splitn(3, ' ');
        let place = words.next().and_then(|place| place.parse().ok());
        let answer = match (words.next(), words.next()) {
            (Some("ok"), text) => Ok(text.unwrap_or_default().to_owned()),
            (_, number) => {
                let number = number.and_then(|number| number.parse().ok()).unwrap_or(5);
                Err(io::Error::from_raw_os_error(number))
            }
        };
        let Some(place) = place else { continue };
        if sender.send((place, answer)).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
