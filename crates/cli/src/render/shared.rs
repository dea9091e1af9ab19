//! Errors that several subjects share: one block each, with the subjects listed.

use std::collections::HashSet;

use accelnet_model::Problem;

use super::problem::{details, headline, labelled};

/// Kinds of errors that a further one is compared with.
const KINDS: usize = 50;

/// An error, and the subjects that it is about.
struct Shared<'a> {
    /// That of the first of them.
    problem: &'a Problem,
    /// The name of the first in its error.
    name: &'a str,
    subjects: Vec<&'a str>,
    /// The same, to list each once.
    known: HashSet<&'a str>,
}

/// Something that was refused.
pub struct Refused<'a> {
    /// Its name, as the error has it.
    pub name: &'a str,
    /// The name as it is listed.
    pub subject: &'a str,
    /// Why.
    pub problem: &'a Problem,
}

/// A block for each error; `kind` names several of the subjects ("VMs").
pub fn problems<'a>(
    kind: &str,
    refused: impl IntoIterator<Item = Refused<'a>>,
    colour: bool,
) -> String {
    let all = shared(refused);
    all.iter()
        .map(|shared| shared.block(kind, colour))
        .collect()
}

/// A block for each error, which lists its subjects also when there is one.
pub fn problems_of<'a>(refused: impl IntoIterator<Item = Refused<'a>>, colour: bool) -> String {
    let block = |shared: &Shared<'_>| {
        let mut lines = details(shared.problem);
        lines.insert(0, ("subject", shared.subjects.join(", ")));
        labelled("error:", &headline(shared.problem), &lines, colour)
    };
    shared(refused).iter().map(block).collect()
}

/// The errors, each with its subjects.
fn shared<'a>(refused: impl IntoIterator<Item = Refused<'a>>) -> Vec<Shared<'a>> {
    let mut all: Vec<Shared<'_>> = Vec::new();
    for Refused {
        name,
        subject,
        problem,
    } in refused
    {
        let mut kinds = all.iter_mut().rev().take(KINDS);
        let same = kinds.find(|one| is_same((one.problem, one.name), (problem, name)));
        match same {
            Some(shared) => {
                if shared.known.insert(subject) {
                    shared.subjects.push(subject);
                }
            }
            None => all.push(Shared {
                problem,
                name,
                subjects: vec![subject],
                known: HashSet::from([subject]),
            }),
        }
    }
    all
}

/// The block of one error of these subjects.
pub fn problem_of(kind: &str, subjects: &[&str], problem: &Problem, colour: bool) -> String {
    let shared = Shared {
        problem,
        name: "",
        subjects: subjects.to_vec(),
        known: HashSet::new(),
    };
    shared.block(kind, colour)
}

impl Shared<'_> {
    fn block(&self, kind: &str, colour: bool) -> String {
        let mut lines = details(self.problem);
        let punctuation = |letter: char| letter.is_ascii_punctuation();
        let mut words = self.problem.message.split(' ');
        let named =
            words.any(|word| word.trim_matches(punctuation) == self.name.trim_matches(punctuation));
        match (self.subjects.as_slice(), named) {
            ([] | [_], _) => {}
            // The headline names the first.
            ([_, others @ ..], true) => lines.insert(0, ("also", others.join(", "))),
            (all, false) => lines.insert(0, (kind, all.join(", "))),
        }
        labelled("error:", &headline(self.problem), &lines, colour)
    }
}

/// Whether two errors differ in the names of their subjects only.
fn is_same((one, name): (&Problem, &str), (other, other_name): (&Problem, &str)) -> bool {
    let texts = |problem: &Problem| {
        let Problem {
            message,
            found,
            needed,
            resolution,
            cause,
            ..
        } = problem.clone();
        [
            message,
            found,
            needed,
            resolution,
            cause.unwrap_or_default(),
        ]
    };
    let same = |(one, other): (&String, &String)| same_words((one, name), (other, other_name));
    one.code == other.code
        && one.document_code == other.document_code
        && texts(one).iter().zip(&texts(other)).all(same)
}

fn same_words((one, name): (&str, &str), (other, other_name): (&str, &str)) -> bool {
    if one == other || name.is_empty() || other_name.is_empty() {
        return one == other;
    }
    let (words, others): (Vec<&str>, Vec<&str>) =
        (one.split(' ').collect(), other.split(' ').collect());
    let same = |(word, other): (&&str, &&str)| {
        word == other || word.replace(name, "\0") == other.replace(other_name, "\0")
    };
    words.len() == others.len() && words.iter().zip(&others).all(same)
}

#[cfg(test)]
mod tests;
