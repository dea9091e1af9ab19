//! A page of commands with what they print in a terminal.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use accelnet::args::Args;
use accelnet::session::Session;
use accelnet_api::testing::{Fake, Fixed, Serving};
use accelnet_api::{Client, Service};
use accelnet_host::Host;

use crate::Later;
use crate::support::{Booted, Nothing, Shown, node};

/// Where the output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal {
    width: Option<u16>,
    colour: bool,
}

impl Terminal {
    pub const fn pipe() -> Self {
        Terminal {
            width: None,
            colour: false,
        }
    }

    pub const fn of(columns: u16) -> Self {
        Terminal {
            width: Some(columns),
            colour: false,
        }
    }

    pub const fn coloured(self) -> Self {
        Terminal {
            colour: true,
            ..self
        }
    }

    fn words(self) -> String {
        match (self.width, self.colour) {
            (None, _) => "a pipe".to_owned(),
            (Some(width), false) => format!("{width} columns"),
            (Some(width), true) => format!("{width} columns, in colour"),
        }
    }
}

/// A node with an agent that is asked, or without one.
pub struct Place {
    pub fake: Arc<Fake>,
    pub node: Booted,
    agent: Option<(tempfile::TempDir, Option<Serving>)>,
}

/// A node whose agent is `fake`, asked by `callers`.
pub fn agent(fake: Fake, callers: Fixed) -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let fake = Arc::new(fake);
    let service: Arc<dyn Service> = fake.clone();
    let serving = Serving::start_for(folder.path(), service, Arc::new(callers));
    Place {
        fake,
        node: node(|igb| igb),
        agent: Some((folder, Some(serving.expect("a socket")))),
    }
}

/// A node of which only the host is read.
pub fn host(node: Booted) -> Place {
    Place {
        fake: Arc::default(),
        node,
        agent: None,
    }
}

impl Place {
    /// The agent ends.
    pub fn stop(&mut self) {
        if let Some((_, serving)) = &mut self.agent {
            *serving = None;
        }
    }

    /// Types `command` in `terminal`.
    pub fn types(&self, terminal: Terminal, command: &str) -> Shown {
        let words: Vec<String> = command
            .split(' ')
            .map(|word| word.trim_matches('\'').to_owned())
            .collect();
        let mut shown = match Args::read(&words) {
            Ok(args) => self.runs(terminal, &args),
            Err(error) => {
                let text = accelnet::wrong::text(&error, &words, terminal.colour);
                Shown {
                    out: String::new(),
                    err: accelnet::folded(&text.expect("an error"), terminal.width).into_owned(),
                    status: 2,
                }
            }
        };
        let mut folders = vec![self.node.folder.path()];
        folders.extend(self.agent.iter().map(|(folder, _)| folder.path()));
        for folder in folders {
            let folder = folder.to_str().expect("a path");
            shown.out = shown.out.replace(folder, "/run/accelnet");
            shown.err = shown.err.replace(folder, "/run/accelnet");
        }
        shown
    }

    fn runs(&self, terminal: Terminal, args: &Args) -> Shown {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let agent = self.agent.as_ref();
        let agent = agent.map(|(folder, _)| Client::new(folder.path().join("agent.sock")));
        let status = accelnet::run(
            args,
            &mut Session {
                host: Host {
                    clock: &Later,
                    ..self.node.host.host()
                },
                system: &Nothing::new(),
                named: agent.is_some(),
                changed: false,
                agent,
                input: &mut &b""[..],
                out: &mut out,
                err: &mut err,
                colour: terminal.colour,
                width: terminal.width,
                err_terminal: (terminal.colour, terminal.width),
                progress: false,
            },
        );
        let text = |bytes| String::from_utf8(bytes).expect("text");
        Shown {
            out: text(out),
            err: text(err),
            status,
        }
    }
}

/// A situation: its title, its terminal, and what was printed.
struct Situation {
    title: String,
    terminal: Terminal,
    printed: String,
    status: u8,
}

/// The page.
pub struct Page {
    text: String,
    situations: Vec<Situation>,
}

impl Page {
    pub fn new() -> Self {
        let text = "# Situations\n\nWritten by `crates/cli/tests/situations.rs`. `\\e[` begins a colour; `\\e[0m` ends it.\n";
        Page {
            text: text.to_owned(),
            situations: Vec::new(),
        }
    }

    pub fn heading(&mut self, heading: &str) {
        let _ = write!(self.text, "\n## {heading}\n");
    }

    /// Types `accelnet` with `command`.
    pub fn block(&mut self, place: &Place, title: &str, terminal: Terminal, command: &str) {
        let shown = place.types(terminal, &format!("accelnet {command}"));
        let printed = shown.out + &shown.err;
        let visible = printed.replace('\u{1b}', "\\e");
        let _ = write!(
            self.text,
            "\n### {title}\n\n{}:\n\n```console\n# accelnet {command}\n{visible}[exit {}]\n```\n",
            terminal.words(),
            shown.status
        );
        self.situations.push(Situation {
            title: title.to_owned(),
            terminal,
            printed,
            status: shown.status,
        });
    }

    pub fn situations(&self) -> usize {
        self.situations.len()
    }

    /// No line is too wide for its terminal, and colour is only where it is wanted. A failure has its
    /// cause and a hint.
    pub fn is_readable(&self) {
        for one in &self.situations {
            let Situation { title, printed, .. } = one;
            let coloured = printed.contains('\u{1b}');
            assert!(one.terminal.colour || !coloured, "{title}: {printed}");
            for line in printed.lines() {
                let plain = uncoloured(line);
                let columns = plain.chars().count();
                let width = one.terminal.width.unwrap_or(u16::MAX);
                // A table has a least width.
                let narrow_row = width < 80 && plain.trim().contains("  ");
                assert!(
                    narrow_row || columns <= usize::from(width),
                    "{title}: {line}"
                );
                assert!(!plain.ends_with(' '), "{title}: {line:?}");
            }
            if uncoloured(printed).starts_with("error: ") {
                assert_ne!(one.status, 0, "{title}");
                for label in ["\n  cause:", "\n  hint:"] {
                    assert!(printed.contains(label), "{title}: {printed}");
                }
            }
        }
    }

    /// The page is that in `file`, or becomes it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the developer's request to refresh the page is in the environment"
    )]
    pub fn is_on_record(&self, file: &Path) {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(file, &self.text).expect("a page that can be written");
        }
        let recorded = std::fs::read_to_string(file).unwrap_or_default();
        let lines = recorded.lines().zip(self.text.lines());
        let other: Vec<String> = lines
            .filter(|(before, now)| before != now)
            .take(10)
            .map(|(before, now)| format!("- {before}\n+ {now}"))
            .collect();
        assert!(
            recorded == self.text,
            "{} differs from what is printed now:\n{}",
            file.display(),
            other.join("\n")
        );
    }
}

/// `text` without sequences that set a colour.
fn uncoloured(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + part.split_once('m').map_or("", |(_, after)| after)
    })
}
