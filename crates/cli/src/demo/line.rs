//! A command line, typed as in bash: words, quotes, and pipes between commands.

use accelnet_api::Client;
use accelnet_host::Host;
use clap::Parser;

use crate::args::Args;
use crate::cmdlet::{self, Pipes, Typed};
use crate::session::Session;
use crate::system::ThisMachine;

/// Runs a command, as the program does.
pub type Run = fn(&Args, &mut Session<'_>) -> u8;

/// What a command line showed.
#[derive(Debug, Default)]
pub struct Shown {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// Exit status of the last command.
    pub status: u8,
}

/// Types `line` on a node whose agent is `client`.
pub fn types(line: &str, host: Host<'_>, client: &Client, program: Run) -> Shown {
    let parts = split(line);
    let last = parts.len().saturating_sub(1);
    let mut input = String::new();
    let mut shown = Shown::default();
    for (place, words) in parts.iter().enumerate() {
        let piped = place > 0;
        let one = run(words, piped, place == last, &input, host, client, program);
        shown.err += &one.err;
        shown.status = one.status;
        input = one.out;
    }
    shown.out = input;
    shown
}

fn run(
    words: &[String],
    piped: bool,
    people: bool,
    input: &str,
    host: Host<'_>,
    client: &Client,
    program: Run,
) -> Shown {
    let wrong = |err: String| Shown {
        err,
        status: 2,
        ..Shown::default()
    };
    let Some((name, rest)) = words.split_first() else {
        return wrong("nothing was typed\n".to_owned());
    };
    let mut said = String::new();
    let args = match cmdlet::called(name.as_ref()) {
        Some(cmdlet) => {
            let pipes = Pipes {
                input: piped,
                people,
            };
            match cmdlet::read(cmdlet, rest, pipes) {
                Ok(Typed::Run(args, notes)) => {
                    for note in notes {
                        said += &note;
                        said.push('\n');
                    }
                    *args
                }
                Ok(Typed::Help(out)) => {
                    return Shown {
                        out,
                        ..Shown::default()
                    };
                }
                Err(error) => return wrong(error.0),
            }
        }
        None => match Args::try_parse_from(words) {
            Ok(args) => args,
            Err(error) => return wrong(error.to_string()),
        },
    };
    let (mut out, mut err) = (Vec::new(), said.into_bytes());
    let mut input = input.as_bytes();
    let status = program(
        &args,
        &mut Session {
            host,
            system: &ThisMachine::new(None),
            named: true,
            changed: false,
            agent: Some(client.clone()),
            input: &mut input,
            out: &mut out,
            err: &mut err,
            colour: false,
            width: None,
            err_terminal: (false, None),
            progress: false,
        },
    );
    Shown {
        out: String::from_utf8_lossy(&out).into_owned(),
        err: String::from_utf8_lossy(&err).into_owned(),
        status,
    }
}

/// Words by blanks and double quotes, commands by bars.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quoted = false;
    let end = |word: &mut Option<String>, parts: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(part)) = (word.take(), parts.last_mut()) {
            part.push(word);
        }
    };
    for letter in line.chars() {
        match letter {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            ' ' if !quoted => end(&mut word, &mut parts),
            '|' if !quoted => {
                end(&mut word, &mut parts);
                parts.push(Vec::new());
            }
            letter => word.get_or_insert_default().push(letter),
        }
    }
    end(&mut word, &mut parts);
    parts
}
