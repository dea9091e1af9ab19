//! The structure of the sources: imports, layers, names and sizes. Exceptions are listed in
//! `structure/exceptions.md`, which only shrinks.

#[path = "structure/circles.rs"]
mod circles;
#[path = "structure/finding.rs"]
mod finding;
#[path = "structure/layers.rs"]
mod layers;
#[path = "structure/modules.rs"]
mod modules;
#[path = "structure/names.rs"]
mod names;
#[path = "structure/sizes.rs"]
mod sizes;
#[path = "structure/source.rs"]
mod source;

use finding::{Exceptions, Finding};
use layers::Layers;
use names::Word;
use source::{Source, read};

fn sources() -> Vec<Source> {
    let sources = source::all();
    assert!(sources.len() > 500, "only {} sources", sources.len());
    sources
}

/// Fails with the findings that are no exceptions, and with the exceptions without a finding.
fn check(kind: &str, findings: &[Finding]) {
    let exceptions = Exceptions::parse(&read("xtask/tests/structure/exceptions.md"));
    let differences = exceptions.differences(kind, findings);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn no_modules_import_each_other() {
    check("circle", &circles::find(&sources()));
}

#[test]
fn no_crate_imports_a_crate_above_it() {
    let layers = Layers::parse(&read("ARCHITECTURE.md"));
    check("layer", &layers::find(&sources(), &layers));
}

#[test]
fn no_replaced_name_comes_back() {
    let words = Word::parse(&read("xtask/tests/structure/names.md"));
    check("name", &names::find(&sources(), &words));
}

#[test]
fn files_and_functions_are_short() {
    check("size", &sizes::find(&sources()));
}
