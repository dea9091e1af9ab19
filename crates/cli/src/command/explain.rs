//! `accelnet explain`: the catalogue.

use accelnet_model::catalogue::{self, Entry};
use accelnet_model::{Code, Problem};
use accelnet_rules::nearest::absent;
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
            document_code: entry.case_of,
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
                session.print_json(&Explained::from(entry));
            }
        }
        ListOutput::Json => {
            let all: Vec<Explained> = entries.into_iter().map(Explained::from).collect();
            session.print_json(&all);
        }
        ListOutput::Name => {
            for entry in entries {
                session.print(&format!("{}\n", entry.code));
            }
        }
        ListOutput::Table => {
            let text = match args.code {
                Some(_) => entries.into_iter().map(render::entry).collect(),
                None => render::entries(&entries, session.colour, session.width),
            };
            session.print(&text);
        }
    }
    Ok(0)
}

/// The code called `text`, or of that exit status; the nearest one is named if there is none.
fn find(text: &str) -> std::result::Result<Code, Problem> {
    if let Ok(status) = text.parse::<u8>()
        && let Some(entry) = catalogue::all().find(|entry| entry.exit_status == status)
    {
        return Ok(entry.code);
    }
    text.parse().map_err(|_| {
        let ids = Code::ALL.iter().map(|code| code.id());
        let found = absent(text, "There are", ("code", "codes"), ids);
        Problem::new(Code::CodeNotFound, &[text], found)
    })
}
