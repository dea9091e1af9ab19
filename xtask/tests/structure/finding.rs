//! What a check finds, compared with the listed exceptions.

use std::collections::BTreeSet;

/// A violation of a rule.
#[derive(Debug)]
pub struct Finding {
    /// The file, function or identifier that is at fault.
    pub subject: String,
    pub detail: String,
}

/// The exceptions of all checks: kind and subject.
pub struct Exceptions(BTreeSet<(String, String)>);

impl Exceptions {
    pub fn parse(text: &str) -> Self {
        let rows = rows(text).into_iter().map(|row| match &row[..] {
            [kind, subject] => (kind.clone(), subject.clone()),
            _ => panic!("two cells: {row:?}"),
        });
        Exceptions(rows.collect())
    }

    /// New findings, and exceptions that are no longer needed.
    pub fn differences(&self, kind: &str, findings: &[Finding]) -> Vec<String> {
        let listed = |subject: &str| self.0.contains(&(kind.to_owned(), subject.to_owned()));
        let new = findings.iter().filter(|found| !listed(&found.subject));
        let new = new.map(|found| format!("{}: {}", found.subject, found.detail));
        let subjects: BTreeSet<&str> = findings.iter().map(|found| &*found.subject).collect();
        let unused = self
            .0
            .iter()
            .filter(|(of, subject)| of == kind && !subjects.contains(&**subject));
        let unused =
            unused.map(|(_, subject)| format!("remove this exception: | {kind} | {subject} |"));
        new.chain(unused).collect()
    }
}

/// The cells of each row of a Markdown table, without its heading.
pub fn rows(text: &str) -> Vec<Vec<String>> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.filter(|row| !row.starts_with("---"));
    rows.skip(1)
        .map(|row| {
            let cells = row.trim_end_matches(" |").split(" | ");
            cells.map(|cell| cell.trim().to_owned()).collect()
        })
        .collect()
}

#[test]
fn an_exception_hides_its_finding_and_fails_without_one() {
    let finding = |subject: &str| Finding {
        subject: subject.to_owned(),
        detail: "too long".to_owned(),
    };
    let list = "| check | exception |\n| --- | --- |\n| size | a.rs |\n| size | b.rs |\n";
    let differences =
        Exceptions::parse(list).differences("size", &[finding("a.rs"), finding("c.rs")]);
    assert_eq!(
        differences,
        ["c.rs: too long", "remove this exception: | size | b.rs |"]
    );
}
