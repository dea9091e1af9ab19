//! Which events are kept. Changes, refusals and the agents' own events each have a limit of their own, which
//! their sources share equally: no source can displace the events of others.

use std::collections::BTreeMap;

use accelnet_api::types::{Event, EventKind};

/// Events of requested changes.
const CHANGES: usize = 1000;
/// Refused requests and connections.
const REFUSALS: usize = 500;
/// Events of the agents themselves.
const OWN: usize = 1000;

/// Class and cause of an event.
type Source = (Class, String);

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    Change,
    Refusal,
    Own,
}

impl Class {
    const LIMITS: [(Class, usize); 3] = [
        (Class::Change, CHANGES),
        (Class::Refusal, REFUSALS),
        (Class::Own, OWN),
    ];
}

fn source(event: &Event) -> Source {
    match (event.kind, &event.user, &event.origin) {
        (EventKind::Refused, Some(user), _) => (Class::Refusal, user.clone()),
        (EventKind::Refused, None, Some(origin)) => {
            // Each connection has a port of its own.
            let address = origin.address.rsplit_once(':');
            let address = address.map_or(&*origin.address, |(address, _)| address);
            (Class::Refusal, address.to_owned())
        }
        (_, Some(user), _) => (Class::Change, user.clone()),
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
    for (class, mut limit) in Class::LIMITS {
        let own = counts.iter().filter(|((of, _), _)| *of == class);
        let mut own: Vec<(&Source, usize)> = own.map(|(source, count)| (*source, *count)).collect();
        // What the smallest sources leave is shared by the others.
        own.sort_by_key(|(_, count)| *count);
        let mut others = own.len();
        for (source, count) in own {
            let share = count.min(limit / others);
            left.insert(source, share);
            limit -= share;
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
