//! Names of VMs in commands: a name, a UUID, or a glob with `*` and `?`, which a name may contain, too.

use std::collections::{BTreeSet, HashMap};

use accelnet_model::{Code, Problem};

use crate::nearest::{absent, absent_on_nodes, held};

/// VMs by name and UUID.
#[derive(Debug, Default)]
pub struct Names<'a> {
    /// Name of each, in their order.
    all: Vec<&'a str>,
    by_name: HashMap<&'a str, Vec<usize>>,
    by_uuid: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Names<'a> {
    /// Of VMs with their names and UUIDs, these in lower case.
    pub fn of(all: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut names = Names::default();
        for (place, (name, uuid)) in all.into_iter().enumerate() {
            names.all.push(name);
            names.by_name.entry(name).or_default().push(place);
            names.by_uuid.entry(uuid).or_default().push(place);
        }
        names
    }

    /// The indexes of the VMs that `typed` selects, in their order: those with exactly this name or
    /// UUID; if there is none, those whose name matches it as a glob.
    pub fn matching(&self, typed: &str) -> Vec<usize> {
        let uuid = typed.to_ascii_lowercase();
        let exact = [self.by_name.get(typed), self.by_uuid.get(&*uuid)];
        let mut exact: Vec<usize> = exact.into_iter().flatten().flatten().copied().collect();
        exact.sort_unstable();
        exact.dedup();
        if !exact.is_empty() {
            return exact;
        }
        let pattern = parts(typed);
        if let Some(name) = literal(&pattern) {
            return self.by_name.get(&*name).cloned().unwrap_or_default();
        }
        let all = self.all.iter().enumerate();
        let fitting = all.filter(|(_, name)| fit(&pattern, name));
        fitting.map(|(place, _)| place).collect()
    }
}

/// The VMs of `all` that `typed` selects, as [`Names::matching`].
pub fn matching<T>(
    typed: &str,
    all: impl IntoIterator<Item = T>,
    called: impl Fn(&T) -> (&str, &str),
) -> Vec<T> {
    let all: Vec<T> = all.into_iter().collect();
    let matching = Names::of(all.iter().map(called)).matching(typed);
    let matching: BTreeSet<usize> = matching.into_iter().collect();
    let all = all.into_iter().enumerate();
    let matching = all.filter(|(place, _)| matching.contains(place));
    matching.map(|(_, one)| one).collect()
}

/// The problem with `typed`, which fits none of `vms`, each a name and its node: those of one `node`, or of
/// the cluster.
pub fn not_found<'a>(
    typed: &str,
    node: Option<&str>,
    vms: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Problem {
    let kind = ("VM", "VMs");
    let vms: Vec<(&str, &str)> = vms.into_iter().collect();
    let is_vm = |part: &str| vms.iter().any(|(name, _)| *name == part.trim());
    let found = match typed.contains(',') && typed.split(',').any(is_vm) {
        true => format!(
            "{}. Names are separated by blanks, not by commas.",
            held(node, kind, &vms)
        ),
        false => absent_on_nodes(typed, node, kind, &vms),
    };
    Problem::new(Code::VmNotFound, &[typed], found)
}

/// The problem with a name that VMs on several `nodes` have.
pub fn ambiguous(typed: &str, nodes: &[String]) -> Problem {
    let found = format!("The nodes are {}.", nodes.join(", "));
    Problem::new(Code::VmAmbiguous, &[typed], found)
}

/// The problem with `typed`, which is none of the `nodes`.
pub fn no_node<'a>(typed: &str, nodes: impl IntoIterator<Item = &'a str>) -> Problem {
    let found = absent(typed, "The cluster has", ("node", "nodes"), nodes);
    Problem::new(Code::NodeNotFound, &[typed], found)
}

/// One part of a glob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Any characters.
    Any,
    /// Any one character.
    One,
    /// This one.
    Is(char),
}

/// The parts of a glob: `*` and `?`, which stand for themselves as `[*]`, `[?]`, `\*` and `\?`.
fn parts(pattern: &str) -> Vec<Part> {
    let escapable = |one: char| matches!(one, '*' | '?' | '[' | '\\');
    let chars: Vec<char> = pattern.chars().collect();
    let mut parts = Vec::new();
    let mut rest = chars.as_slice();
    while let [first, after @ ..] = rest {
        let (part, left) = match (first, after) {
            ('\\', [one, left @ ..]) if escapable(*one) => (Part::Is(*one), left),
            ('[', [one, ']', left @ ..]) if escapable(*one) => (Part::Is(*one), left),
            ('*', left) => (Part::Any, left),
            ('?', left) => (Part::One, left),
            (one, left) => (Part::Is(*one), left),
        };
        parts.push(part);
        rest = left;
    }
    parts
}

/// Whether `text` may fit several names.
pub fn is_glob(text: &str) -> bool {
    let parts = parts(text);
    parts.iter().any(|part| !matches!(part, Part::Is(_)))
}

/// Whether `name` fits `pattern`: `*` stands for any characters, `?` for one, everything else
/// for itself.
pub fn fits(pattern: &str, name: &str) -> bool {
    fit(&parts(pattern), name)
}

/// The only name that fits a pattern without `*` and `?`.
fn literal(pattern: &[Part]) -> Option<String> {
    let chars = pattern.iter().map(|part| match part {
        Part::Is(one) => Some(*one),
        Part::Any | Part::One => None,
    });
    chars.collect()
}

fn fit(pattern: &[Part], name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stood, and how much of the name it stands for by now.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some(Part::Any) => {
                star = Some((at, seen));
                at += 1;
            }
            Some(part) if *part == Part::One || *part == Part::Is(name[seen]) => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    seen = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == Part::Any)
}

#[cfg(test)]
mod tests;
