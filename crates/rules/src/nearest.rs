//! The nearest name to a mistyped one.

use std::collections::BTreeSet;

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

/// The cause of an error about `typed`, which is none of `names`: "The cluster has 14 VMs; the nearest name
/// is web01." `has` names the owner ("The cluster has"), `kind` is one and many of them.
pub fn absent<'a>(
    typed: &str,
    has: &str,
    kind: (&str, &str),
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let have = format!("{has} {}", counted(names.len(), kind));
    match (names.is_empty(), nearest(typed, names)) {
        (true, _) => format!("{have}."),
        (false, Some(name)) => format!("{have}; the nearest name is {name}."),
        (false, None) => format!("{have}, and none has a similar name."),
    }
}

/// The same of `all`, each a name and its node, where one `node` is covered or the cluster: "2 nodes have 14
/// VMs; the nearest name is web01, on node1."
pub fn absent_on_nodes(
    typed: &str,
    node: Option<&str>,
    kind: (&str, &str),
    all: &[(&str, &str)],
) -> String {
    let have = held(node, kind, all);
    let nearest = nearest(typed, all.iter().map(|(name, _)| *name));
    let nearest = nearest.and_then(|near| all.iter().find(|(name, _)| *name == near));
    let is_one_node = all.iter().all(|(_, node)| *node == all[0].1);
    match (all, nearest) {
        ([], _) => format!("{have}."),
        (_, None) => format!("{have}, and none has a similar name."),
        (_, Some((name, _))) if is_one_node => format!("{have}; the nearest name is {name}."),
        (_, Some((name, node))) => format!("{have}; the nearest name is {name}, on {node}."),
    }
}

/// How many of `all`, each a name and its node, there are on how many nodes: "2 nodes have 14 VMs".
pub fn held(node: Option<&str>, kind: (&str, &str), all: &[(&str, &str)]) -> String {
    let nodes: BTreeSet<&str> = all.iter().map(|(_, node)| *node).collect();
    let has = match nodes.first() {
        None => format!("{} has", node.unwrap_or("The cluster")),
        Some(node) if nodes.len() == 1 => format!("{node} has"),
        Some(_) => format!("{} nodes have", nodes.len()),
    };
    format!("{has} {}", counted(all.len(), kind))
}

fn counted(count: usize, (one, many): (&str, &str)) -> String {
    match count {
        0 => format!("no {one}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
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
