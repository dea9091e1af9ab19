//! The log of the agent: which levels it has, and where its lines go.

use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use accelnet_model::outside;
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tracing::span::EnteredSpan;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{Registry, registry, reload};

use crate::files;
use crate::journald::{Journald, Record, SOCKET};

/// Folder of [`FILE`].
const FOLDER: &str = "/run/accelnet";
/// Name of the file whose levels replace those of the command line while it exists.
const FILE: &str = "log";

/// Levels by target, such as `warn,accelnet_agent::vms=debug`. The level of other targets is `warn`
/// unless a word without target names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Levels(Targets);

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut targets = Targets::new().with_default(LevelFilter::WARN);
        for part in text.split(',').map(str::trim) {
            targets = match part.split_once('=') {
                None => targets.with_default(level(part)?),
                Some((target, word)) if is_path(target) => {
                    targets.with_target(target, level(word)?)
                }
                Some((target, _)) => return Err(format!("{target:?} is not the path of a module")),
            };
        }
        Ok(Levels(targets))
    }
}

fn level(word: &str) -> Result<LevelFilter, String> {
    let named = word.starts_with(|letter: char| letter.is_ascii_alphabetic());
    let level = word
        .parse()
        .ok()
        .filter(|level| named && *level <= LevelFilter::DEBUG);
    level.ok_or_else(|| format!("{word:?} is not a level: off, error, warn, info or debug"))
}

/// Whether a text can be a path such as `accelnet_agent::vms`.
fn is_path(text: &str) -> bool {
    let in_path = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
    !text.is_empty() && text.chars().all(in_path)
}

/// Begins the log of this process, in the journal if stderr is connected to it, else on stderr.
pub fn begin(levels: &Levels) {
    let (filter, handle) = reload::Layer::new(levels.0.clone());
    let lines = match stderr_is_journal() {
        true => {
            // A journal that does not answer must not delay a change.
            let journald = Journald::within(SOCKET, Duration::ZERO);
            let format = fmt::layer().without_time().with_level(false);
            format.with_writer(Sink::Journal(journald)).boxed()
        }
        false => fmt::layer().with_writer(Sink::Stderr).boxed(),
    };
    let subscriber = registry().with(filter).with(lines);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let chosen = Chosen {
            levels: levels.clone(),
            handle,
        };
        let watch = thread::Builder::new().name("log".to_owned());
        // Without this thread the levels stay as they are.
        drop(watch.spawn(move || chosen.watch(Path::new(FOLDER))));
    }
}

/// A reconcile, in the log.
pub fn reconcile(cause: &str) -> EnteredSpan {
    tracing::info_span!("reconcile", cause).entered()
}

/// Whether systemd connected stderr to the journal (systemd.exec(5), JOURNAL_STREAM).
#[expect(
    clippy::disallowed_methods,
    reason = "systemd names the stream of the journal in the environment"
)]
fn stderr_is_journal() -> bool {
    let stream = std::env::var("JOURNAL_STREAM").unwrap_or_default();
    rustix::fs::fstat(io::stderr())
        .is_ok_and(|stat| stream == format!("{}:{}", stat.st_dev, stat.st_ino))
}

/// The levels of the command line, and what changes those in use.
struct Chosen {
    levels: Levels,
    handle: reload::Handle<Targets, Registry>,
}

impl Chosen {
    /// Applies the levels of the file now and after each change of it.
    fn watch(&self, folder: &Path) -> rustix::io::Result<()> {
        let changes = inotify::init(CreateFlags::CLOEXEC)?;
        let kinds = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
        inotify::add_watch(&changes, folder, kinds)?;
        self.apply(&folder.join(FILE));
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut changes = inotify::Reader::new(changes, &mut buffer);
        loop {
            let change = changes.next()?;
            if change
                .file_name()
                .is_some_and(|name| name.to_bytes() == FILE.as_bytes())
            {
                self.apply(&folder.join(FILE));
            }
        }
    }

    fn apply(&self, file: &Path) {
        let levels = match files::read_capped(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(self.levels.clone()),
            Err(error) => Err(error.to_string()),
            Ok(content) => String::from_utf8_lossy(&content).parse(),
        };
        match levels {
            Ok(Levels(targets)) => drop(self.handle.reload(targets)),
            Err(why) => tracing::error!("{} is not applied: {why}", file.display()),
        }
    }
}

/// Where lines go.
enum Sink {
    Stderr,
    Journal(Journald),
}

/// A line that is written to its sink, with its priority in the journal.
struct Line<'a>(&'a Sink, &'static str);

impl<'a> MakeWriter<'a> for Sink {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self, "6")
    }

    fn make_writer_for(&'a self, meta: &Metadata<'_>) -> Line<'a> {
        let priority = match *meta.level() {
            Level::ERROR => "3",
            Level::WARN => "4",
            Level::INFO => "6",
            Level::DEBUG | Level::TRACE => "7",
        };
        Line(self, priority)
    }
}

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        match self.0 {
            // One write, so that no other line comes in between.
            Sink::Stderr => io::stderr().write_all((outside::escaped(text) + "\n").as_bytes())?,
            Sink::Journal(journald) => {
                let record = Record::default()
                    .with("MESSAGE", text)
                    .with("PRIORITY", self.1)
                    .with("SYSLOG_IDENTIFIER", "accelnet");
                journald.write(vec![record]);
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
