//! Which events are kept. Nobody can push out those of others: changes, refusals and the agents' own events
//! have room of their own, and in it each source an equal share as long as others want theirs.

use std::collections::BTreeMap;

use accelnet_api::types::{Event, EventKind};

/// Events of changes that somebody asked for.
const CHANGES: usize = 1000;
/// Requests and connections that were refused.
const REFUSALS: usize = 500;
/// What agents did and saw by themselves.
const OWN: usize = 1000;
/// All of them.
pub const MOST: usize = CHANGES + REFUSALS + OWN;

/// Where an event is from: its class, and who caused it.
type Source = (Class, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Change,
    Refusal,
    Own,
}

impl Class {
    const ALL: [(Class, usize); 3] = [
        (Class::Change, CHANGES),
        (Class::Refusal, REFUSALS),
        (Class::Own, OWN),
    ];
}

fn source(event: &Event) -> Source {
    match (event.kind, &event.user, &event.origin) {
        (EventKind::Refused, Some(who), _) => (Class::Refusal, who.clone()),
        (EventKind::Refused, None, Some(from)) => {
            // Each connection has a port of its own.
            let address = from.address.rsplit_once(':');
            let address = address.map_or(&*from.address, |(address, _)| address);
            (Class::Refusal, address.to_owned())
        }
        (_, Some(who), _) => (Class::Change, who.clone()),
        _ => (Class::Own, event.node.clone()),
    }
}

/// Whether each of `events`, the oldest first, is kept.
pub fn kept<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<bool> {
    let sources: Vec<Source> = events.map(source).collect();
    let mut counts: BTreeMap<&Source, usize> = BTreeMap::new();
    for source in &sources {
        *counts.entry(source).or_default() += 1;
    }
    let mut left = BTreeMap::new();
    for (class, room) in Class::ALL {
        let own = counts.iter().filter(|((of, _), _)| *of == class);
        let mut own: Vec<(&Source, usize)> = own.map(|(source, count)| (*source, *count)).collect();
        // Those who want least get it; what they leave is shared by the others.
        own.sort_by_key(|(_, count)| *count);
        let (mut room, mut others) = (room, own.len());
        for (source, count) in own {
            let share = count.min(room / others);
            left.insert(source, share);
            room -= share;
            others -= 1;
        }
    }
    let mut kept: Vec<bool> = sources
        .iter()
        .rev()
        .map(|source| match left.get_mut(source) {
            Some(left) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        })
        .collect();
    kept.reverse();
    kept
}

#[cfg(test)]
mod tests;
