//! Names of VMs as they are typed: a name, a UUID, or a glob with `*` and `?`.

use accelnet_model::{Code, Problem};

/// Whether what was typed means the VM with this name and UUID.
pub fn means(typed: &str, name: &str, uuid: &str) -> bool {
    typed == name || typed.eq_ignore_ascii_case(uuid) || (is_glob(typed) && fits(typed, name))
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

/// Whether `text` has a `*` or `?`.
pub fn is_glob(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether `name` fits `pattern`: `*` stands for any characters, `?` for one, everything else
/// for itself.
pub fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last `*` stood, and how much of the name it stands for by now.
    let mut star: Option<(usize, usize)> = None;
    while seen < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(one) if *one == '?' || *one == name[seen] => {
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
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests;
