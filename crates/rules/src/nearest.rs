//! The name that was probably meant.

/// Longer names are not compared: the time grows with the square of the length.
const LONGEST: usize = 100;

/// The shortest part of a name that means the name.
const PART: usize = 4;

/// The first of `names` that differs least from `typed`, if one is similar: at most one edit for
/// every three characters, or `typed` is a part of it. Case does not count.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = letters(typed)?;
    let near = names.into_iter().filter_map(|name| {
        let name_letters = letters(name)?;
        let most = typed.len().min(name_letters.len()) / 3;
        let most = most.max(1);
        if typed.len().abs_diff(name_letters.len()) <= most {
            let edits = edits(&typed, &name_letters);
            if edits <= most {
                return Some((edits, name));
            }
        }
        let part = typed.len() >= PART
            && name_letters
                .windows(typed.len())
                .any(|part| part == typed.as_slice());
        part.then_some((LONGEST + name_letters.len(), name))
    });
    near.min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// The cause of an error about `typed`, which is none of `names`: "None of 14 VMs has this name; did
/// you mean web01?". `one` and `many` name their kind.
pub fn absent<'a>(
    typed: &str,
    (one, many): (&str, &str),
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let none = match names.len() {
        0 => return format!("There is no {one}."),
        1 => format!("The only {one} has another name"),
        count => format!("None of {count} {many} has this name"),
    };
    match nearest(typed, names) {
        Some(name) => format!("{none}; did you mean {name}?"),
        None => format!("{none}."),
    }
}

fn letters(text: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = text.to_lowercase().chars().take(LONGEST + 1).collect();
    (1..=LONGEST).contains(&letters.len()).then_some(letters)
}

/// How many characters are added, removed, replaced or swapped with their neighbour to get from one
/// text to the other.
fn edits(one: &[char], other: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, left) in one.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(left != right);
            let mut least = replaced.min(above[column + 1] + 1).min(current[column] + 1);
            let swapped =
                row > 0 && column > 0 && one[row - 1] == *right && other[column - 1] == *left;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            current.push(least);
        }
        before = above;
        above = current;
    }
    above[other.len()]
}

#[cfg(test)]
mod tests;
