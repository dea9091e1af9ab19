//! Imports between crates, compared with the table of ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};

use crate::circles::Paths;
use crate::finding::{Finding, rows};
use crate::source::Source;

/// The crates that each crate may use, also through others.
pub struct Layers(BTreeMap<String, BTreeSet<String>>);

impl Layers {
    /// Reads the table whose rows are: crate, content, crates that it may use.
    pub fn parse(text: &str) -> Self {
        let mut layers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in rows(text) {
            if let [name, _, uses] = &row[..] {
                let uses = uses.split(|letter: char| !letter.is_ascii_lowercase());
                let uses = uses.map(str::to_owned).collect();
                layers.insert(name.trim_matches('`').to_owned(), uses);
            }
        }
        let crates: BTreeSet<String> = layers.keys().cloned().collect();
        for uses in layers.values_mut() {
            uses.retain(|used| crates.contains(used));
        }
        for _ in &crates {
            let before = layers.clone();
            for uses in layers.values_mut() {
                let through: Vec<_> = uses.iter().flat_map(|used| before[used].clone()).collect();
                uses.extend(through);
            }
        }
        for (name, uses) in &layers {
            assert!(!uses.contains(name), "{name} may use itself: {uses:?}");
        }
        Layers(layers)
    }
}

pub fn find(sources: &[Source], layers: &Layers) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        if source.test || source.module.is_none() {
            continue;
        }
        let allowed = layers.0.get(&source.krate);
        let allowed = allowed.unwrap_or_else(|| panic!("no row for {}", source.krate));
        let used: BTreeSet<String> = Paths::of(source)
            .into_iter()
            .filter_map(|(_, path)| path[0].strip_prefix("accelnet_").map(str::to_owned))
            .filter(|used| layers.0.contains_key(used) && *used != source.krate)
            .collect();
        findings.extend(used.difference(allowed).map(|used| Finding {
            subject: source.path.clone(),
            detail: format!(
                "imports accelnet_{used}, which {} may not use",
                source.krate
            ),
        }));
    }
    findings
}

#[test]
fn an_upward_import_is_found() {
    let layers = Layers::parse(
        "| crate | content | may use |\n\
         | --- | --- | --- |\n\
         | `model` | types | serde |\n\
         | `rules` | decisions | model |\n\
         | `host` | effects | rules |\n",
    );
    let find = |text: &str| find(&[Source::parse("crates/rules/src/a.rs", text)], &layers).len();
    assert_eq!(find("use accelnet_model::Mac; use serde::Serialize;"), 0);
    assert_eq!(find("use accelnet_host::Clock;"), 1);
    assert_eq!(find("fn a() { vec![accelnet_host::clock()]; }"), 1);
}
