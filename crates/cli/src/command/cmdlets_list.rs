//! `accelnet cmdlets list`: the names, and what each stands for.

use serde::Serialize;

use super::Result;
use crate::args::{CmdletsList, ListOutput};
use crate::cmdlet::CMDLETS;
use crate::render;
use crate::session::Session;

/// One name. Its JSON is part of the API.
#[derive(Debug, Serialize)]
struct Row {
    name: &'static str,
    native: &'static str,
    description: &'static str,
}

/// Lists them.
pub fn run(args: &CmdletsList, session: &mut Session<'_>) -> Result {
    let rows: Vec<Row> = CMDLETS
        .iter()
        .map(|cmdlet| Row {
            name: cmdlet.name,
            native: cmdlet.native,
            description: cmdlet.about,
        })
        .collect();
    match args.output {
        ListOutput::Json => session.print_json(&rows),
        ListOutput::Name => {
            for row in &rows {
                session.print(&format!("{}\n", row.name));
            }
        }
        ListOutput::Table => {
            let rows = rows
                .iter()
                .map(|row| [row.name, row.native, row.description]);
            let text = render::rows(&["NAME", "COMMAND", "DESCRIPTION"], rows, session);
            session.print(&text);
        }
    }
    Ok(0)
}
