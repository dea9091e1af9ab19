//! `accelnet explain`: the catalogue.

use accelnet_model::catalogue::{self, Entry};
use accelnet_model::{Code, Problem};
use serde::Serialize;

use super::Result;
use crate::args::{Explain, ListOutput};
use crate::render;
use crate::session::Session;

/// One entry. Its JSON is part of the API.
#[derive(Debug, Serialize)]
struct Explained {
    code: Code,
    #[serde(skip_serializing_if = "Option::is_none")]
    document_code: Option<Code>,
    severity: &'static str,
    exit_status: u8,
    http_status: u16,
    message: &'static str,
    found: &'static str,
    needed: &'static str,
    resolution: &'static str,
}

impl From<&Entry> for Explained {
    fn from(entry: &Entry) -> Self {
        Explained {
            code: entry.code,
            document_code: entry.stands_under,
            severity: render::severity(entry),
            exit_status: entry.exit_status,
            http_status: entry.http_status,
            message: entry.sentence,
            found: entry.found,
            needed: entry.needed,
            resolution: entry.resolution,
        }
    }
}

/// Explains one code, or lists all.
pub fn run(args: &Explain, session: &mut Session<'_>) -> Result {
    let entries: Vec<&Entry> = match &args.code {
        None => catalogue::all().collect(),
        Some(text) => vec![find(text)?.entry()],
    };
    match args.output {
        ListOutput::Json if args.code.is_some() => {
            for entry in entries {
                session.say_json(&Explained::from(entry));
            }
        }
        ListOutput::Json => {
            let all: Vec<Explained> = entries.into_iter().map(Explained::from).collect();
            session.say_json(&all);
        }
        ListOutput::Name => {
            for entry in entries {
                session.say(&format!("{}\n", entry.code));
            }
        }
        ListOutput::Table => {
            let text = match args.code {
                Some(_) => entries.into_iter().map(render::entry).collect(),
                None => render::entries(&entries, session.colour, session.width),
            };
            session.say(&text);
        }
    }
    Ok(0)
}

/// The code called `text`; the nearest ones are named where there is none.
fn find(text: &str) -> std::result::Result<Code, Problem> {
    text.parse().map_err(|_| {
        let wanted = text.to_ascii_lowercase();
        let near: Vec<&str> = Code::ALL
            .iter()
            .map(|code| code.id())
            .filter(|id| {
                let id = id.to_ascii_lowercase();
                let parts = |text: &str| text.split('_').map(str::to_owned).collect::<Vec<_>>();
                let words = parts(&wanted);
                id.contains(&wanted)
                    || parts(&id)
                        .iter()
                        .any(|word| word.len() > 3 && words.contains(word))
            })
            .take(5)
            .collect();
        let found = match near.as_slice() {
            [] => "No id is like it.".to_owned(),
            near => format!("Like it are {}.", near.join(", ")),
        };
        Problem::new(Code::CodeNotFound, &[text], found)
    })
}
