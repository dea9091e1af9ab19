//! Names of VMs as they are typed: a name, a UUID, or a glob with `*` and `?`, which a name may have, too.

use accelnet_model::{Code, Problem};

/// The VMs among `all` that what was typed means, in their order: those that are called exactly so or have
/// that UUID; where there is none, those whose name it fits as a glob.
pub fn meant<T>(
    typed: &str,
    all: impl IntoIterator<Item = T>,
    called: impl Fn(&T) -> (&str, &str),
) -> Vec<T> {
    let exactly = |one: &T| {
        let (name, uuid) = called(one);
        typed == name || typed.eq_ignore_ascii_case(uuid)
    };
    let (exact, mut others): (Vec<T>, Vec<T>) = all.into_iter().partition(exactly);
    if !exact.is_empty() {
        return exact;
    }
    others.retain(|one| fits(typed, called(one).0));
    others
}

/// The problem with `typed`, which none of `names` fits.
pub fn not_found(typed: &str, names: &[String]) -> Problem {
    /// Names that are told.
    const TOLD: usize = 10;
    let found = match names {
        [] => "This node has no VM at all.".to_owned(),
        names if names.len() <= TOLD => format!("The VMs here are {}.", names.join(", ")),
        names => format!(
            "The VMs here are {} and {} more.",
            names[..TOLD].join(", "),
            names.len() - TOLD
        ),
    };
    Problem::new(Code::VmNotFound, &[typed], found)
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
    let pattern = parts(pattern);
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
