//! What a command works with: a host to read, and where to write to.

use std::io::{Read, Write};

use accelnet_api::Client;
use accelnet_api::types::Failure;
use accelnet_host::Host;
use accelnet_model::{Code, Problem, outside};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::render::{self, Refused};
use crate::system::System;

/// The surroundings of one command.
pub struct Session<'a> {
    /// The node.
    pub host: Host<'a>,
    /// The agent that is asked; none for a copy of a node, and for commands about this machine.
    pub agent: Option<Client>,
    /// Whether an option or the environment names that agent: then no other node is shown or changed.
    pub named: bool,
    /// The machine that commands without an agent change.
    pub system: &'a dyn System,
    /// Whether the command has begun to change something.
    pub changed: bool,
    /// Standard input.
    pub input: &'a mut dyn Read,
    /// Standard output.
    pub out: &'a mut dyn Write,
    /// Standard error.
    pub err: &'a mut dyn Write,
    /// Whether to colour.
    pub colour: bool,
    /// Columns of the terminal; none when output goes elsewhere and is never wrapped.
    pub width: Option<u16>,
    /// The same two for standard error.
    pub err_terminal: (bool, Option<u16>),
    /// Whether a progress line can be shown on standard error.
    pub progress: bool,
}

impl Session<'_> {
    /// The node's agent.
    ///
    /// # Errors
    ///
    /// A copy of a node has none.
    pub fn agent(&self) -> Result<&Client, Problem> {
        self.agent.as_ref().ok_or_else(|| {
            let found = "A copy of a node (--root) has no agent.";
            Problem {
                message: "This command needs an agent.".to_owned(),
                ..Problem::new(Code::AgentUnreachable, &["--root"], found)
            }
            .resolution("Run the same command without --root.")
        })
    }

    /// `answer` as people see it: without hidden characters, and with ages instead of the times that are by the
    /// clock of the machine that answered.
    pub fn for_people<T: Serialize + DeserializeOwned + Clone>(&self, answer: &T) -> T {
        let there = self.agent.as_ref().and_then(Client::time_there);
        let now = there.unwrap_or_else(|| self.host.clock.now());
        let here = self.agent.as_ref().map(Client::node_there);
        let is_here = |node: &str| {
            here.as_ref()
                .is_none_or(|here| here.as_deref() == Some(node))
        };
        render::aged(&render::clean(answer), &now, &is_here)
    }

    /// Whether only the agent can answer for its node: it is named, or on another machine.
    pub fn asks_only_the_agent(&self) -> bool {
        self.named || self.agent.as_ref().is_some_and(Client::is_remote)
    }

    /// Writes a text to standard output. A reader that has gone away (`| head`) is no error
    /// of ours.
    pub fn print(&mut self, text: &str) {
        let text = render::written(text, self.colour);
        let text = render::folded(&text, self.width);
        drop(self.out.write_all(text.as_bytes()));
    }

    /// Writes a text for programs as it is.
    fn print_raw(&mut self, text: &str) {
        drop(self.out.write_all(text.as_bytes()));
    }

    /// Writes `value` to standard output as one line of JSON.
    pub fn print_json_line(&mut self, value: &impl Serialize) {
        // Our types have no maps with odd keys.
        if let Ok(text) = serde_json::to_string(value) {
            self.print_raw(&text);
            self.print_raw("\n");
        }
    }

    /// Lets readers have what was written so far.
    pub fn flush(&mut self) {
        drop(self.out.flush());
    }

    /// Writes `value` to standard output as JSON.
    pub fn print_json(&mut self, value: &impl Serialize) {
        // Our types have no maps with odd keys.
        if let Ok(text) = serde_json::to_string_pretty(value) {
            self.print_raw(&text);
            self.print_raw("\n");
        }
    }

    /// Shows what went wrong: as JSON on standard output for a reader of JSON, else in
    /// words on standard error.
    pub fn fail(&mut self, problem: &Problem, json: bool) {
        if json {
            self.print_json(&Failure::from(problem.clone()));
            return;
        }
        let text = render::problem(&render::clean(problem), self.err_terminal.0);
        self.print_error(&text);
    }

    /// Shows what was refused on standard error, an error that several share once; `kind` names several of
    /// them.
    pub fn fail_all<'a>(&mut self, kind: &str, refused: impl IntoIterator<Item = Refused<'a>>) {
        let text = render::problems(kind, refused, self.err_terminal.0);
        self.print_error(&text);
    }

    /// Shows an error of all these subjects on standard error.
    pub fn fail_of(&mut self, kind: &str, subjects: &[&str], problem: &Problem) {
        let problem = render::clean(problem);
        let text = render::problem_of(kind, subjects, &problem, self.err_terminal.0);
        self.print_error(&text);
    }

    /// Shows why a command line cannot be run, on standard error.
    pub fn wrong(&mut self, what: &str, cause: &str, hint: &str) {
        let shown = |text: &str| outside::escaped(text).into_owned();
        let details = [("cause", shown(cause)), ("hint", shown(hint))];
        let what = render::clause(&shown(what));
        let text = render::labelled("error:", &what, &details, self.err_terminal.0);
        self.print_error(&text);
    }

    /// Shows a note on standard error.
    pub fn note(&mut self, text: &str) {
        self.print_error(&format!("{}\n", outside::escaped(text)));
    }

    fn print_error(&mut self, text: &str) {
        let text = render::folded(text, self.err_terminal.1);
        drop(self.err.write_all(text.as_bytes()));
    }
}
