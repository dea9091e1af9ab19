//! What a command works with: a host to look at, and where to write to.

use std::io::Write;

use accelnet_host::Host;
use accelnet_model::Problem;
use serde::Serialize;

use crate::render;

/// The surroundings of one command.
pub struct Session<'a> {
    /// The node.
    pub host: Host<'a>,
    /// Standard output.
    pub out: &'a mut Vec<u8>,
    /// Standard error.
    pub err: &'a mut Vec<u8>,
    /// Whether to colour.
    pub colour: bool,
    /// Columns of the terminal; none when output goes elsewhere and is never wrapped.
    pub width: Option<u16>,
    /// Whether a progress line can be shown on standard error.
    pub progress: bool,
}

impl Session<'_> {
    /// Writes a text to standard output.
    pub fn say(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes `value` to standard output as JSON.
    pub fn say_json(&mut self, value: &impl Serialize) {
        // Writing to memory does not fail, and our types have no maps with odd keys.
        if serde_json::to_writer_pretty(&mut *self.out, value).is_ok() {
            self.out.push(b'\n');
        }
    }

    /// Shows what went wrong: as JSON on standard output for a reader of JSON, else in
    /// words on standard error.
    pub fn fail(&mut self, problem: &Problem, json: bool) {
        #[derive(Serialize)]
        struct Failure<'a> {
            error: &'a Problem,
            exit_status: u8,
        }
        if json {
            self.say_json(&Failure {
                error: problem,
                exit_status: problem.exit_status(),
            });
            return;
        }
        let text = render::problem(problem, self.colour);
        // Writing to memory does not fail.
        drop(self.err.write_all(text.as_bytes()));
    }

    /// Shows a note on standard error.
    pub fn note(&mut self, text: &str) {
        // Writing to memory does not fail.
        drop(writeln!(self.err, "{text}"));
    }
}
