//! `accelnet log`: what happened.

use std::time::Duration;

use accelnet_api::types::{Event, Events};

use super::{Result, ask};
use crate::args::{Log, Output};
use crate::render;
use crate::session::Session;

/// How long to wait for an event before asking again.
const WAIT: Duration = Duration::from_secs(60);

/// Shows events, and follows them if requested.
pub fn run(args: &Log, session: &mut Session<'_>) -> Result {
    let agent = session.agent()?.clone();
    let limit = usize::from(args.limit);
    let node = args.node.as_deref();
    let mut events = agent.events_of(0, limit, Duration::ZERO, node)?;
    if events.events.is_empty() {
        // A node that left the cluster may still have events.
        ask::known_node(node, &agent)?;
    }
    if !args.follow {
        ask::print_answer(
            session,
            args.output,
            &events,
            |events: &Events, colour, _| match events.events.is_empty() {
                true => "No events.\n".to_owned(),
                false => events
                    .events
                    .iter()
                    .map(|event| render::event(event, colour))
                    .collect(),
            },
        );
        return Ok(0);
    }
    let mut after = 0;
    loop {
        for event in &events.events {
            after = after.max(event.number);
            line(event, args.output, session);
        }
        if session.out.flush().is_err() {
            // The reader is gone.
            return Ok(0);
        }
        events = agent.events_of(after, limit, WAIT, node)?;
    }
}

fn line(event: &Event, output: Output, session: &mut Session<'_>) {
    match output {
        Output::Json => session.print_json_line(event),
        Output::Table => session.print(&render::event(&render::clean(event), session.colour)),
    }
}
