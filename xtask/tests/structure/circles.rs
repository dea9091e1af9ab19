//! Circles of imports between the modules of a crate.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use syn::visit::{self, Visit};
use syn::{ImplItem, Item, ItemMod, ItemUse, Path};

use crate::finding::Finding;
use crate::modules::{Import, Modules, Names, Target, flatten};
use crate::source::{Source, for_tests, paths_of_tokens};

/// The paths that a file names, each with the module that it is in.
pub struct Paths {
    at: Names,
    pub found: Vec<(Names, Names)>,
}

impl Paths {
    pub fn of(source: &Source) -> Vec<(Names, Names)> {
        let mut paths = Paths {
            at: source.module.clone().unwrap_or_default(),
            found: Vec::new(),
        };
        paths.visit_file(&source.syntax);
        paths.found
    }

    fn add(&mut self, path: Names) {
        self.found.push((self.at.clone(), path));
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Struct(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Mod(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        if !matches!(item, ImplItem::Fn(item) if for_tests(&item.attrs)) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.at.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.at.pop();
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let mut imports: Vec<Import> = Vec::new();
        flatten(&item.tree, &[], &mut imports);
        for import in imports {
            self.add(import.path);
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        if path.segments.len() > 1 {
            self.add(
                path.segments
                    .iter()
                    .map(|one| one.ident.to_string())
                    .collect(),
            );
        }
        visit::visit_path(self, path);
    }

    fn visit_token_stream(&mut self, tokens: &'ast TokenStream) {
        paths_of_tokens(tokens.clone(), &mut |path| self.add(path));
    }
}

/// The files that each file of a crate imports, each with one of the paths.
type Imports = BTreeMap<String, BTreeMap<String, String>>;

fn imports(sources: &[&Source]) -> Imports {
    let modules = Modules::of(sources.iter().copied());
    let mut imports = Imports::new();
    for source in sources {
        let owner = source
            .module
            .as_ref()
            .and_then(|module| modules.file(module));
        if owner != Some(&source.path) {
            continue;
        }
        let imported = imports.entry(source.path.clone()).or_default();
        for (at, path) in Paths::of(source) {
            if let Some(Target::Item(file)) = modules.resolve(&at, &path)
                && file != source.path
            {
                imported.insert(file, path.join("::"));
            }
        }
    }
    imports
}

/// The files that `from` leads to.
fn reached<'a>(imports: &'a Imports, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for next in imports.get(file).into_iter().flatten() {
            if reached.insert(&**next.0) {
                open.push(next.0);
            }
        }
    }
    reached
}

pub fn find(sources: &[Source]) -> Vec<Finding> {
    let mut crates: BTreeMap<&str, Vec<&Source>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !source.test) {
        crates.entry(&source.krate).or_default().push(source);
    }
    let mut findings = Vec::new();
    for sources in crates.values() {
        let imports = imports(sources);
        let all: BTreeMap<&str, BTreeSet<&str>> = imports
            .keys()
            .map(|file| (&**file, reached(&imports, file)))
            .collect();
        for (file, direct) in &imports {
            let back = |next: &str| all.get(next).is_some_and(|files| files.contains(&**file));
            let circle: Vec<String> = direct
                .iter()
                .filter(|(next, _)| back(next))
                .map(|(next, path)| format!("{next} ({path})"))
                .collect();
            if !circle.is_empty() {
                findings.push(Finding {
                    subject: file.clone(),
                    detail: format!("is in a circle of imports with {}", circle.join(", ")),
                });
            }
        }
    }
    findings
}

#[test]
fn a_circle_is_found_through_parents_macros_and_other_names() {
    let circle = |root: &str, a: &str, b: &str| {
        let sources = [
            Source::parse("crates/x/src/lib.rs", root),
            Source::parse("crates/x/src/a.rs", a),
            Source::parse("crates/x/src/b.rs", b),
        ];
        let findings = find(&sources);
        findings
            .iter()
            .map(|found| found.subject.clone())
            .collect::<Vec<_>>()
    };
    let both = ["crates/x/src/a.rs", "crates/x/src/b.rs"];
    let root = "mod a; mod b; pub use b::B;";
    let b = "pub struct B; fn b() -> crate::a::A { todo!() }";
    assert_eq!(circle(root, "use crate::B; pub struct A;", b), both);
    assert_eq!(
        circle(root, "use super::b; pub struct A(Vec<b::B>);", b),
        both
    );
    let macros = "pub struct A; fn a() { println!(\"{:?}\", crate::b::B); }";
    assert_eq!(circle(root, macros, b), both);
    let parent = circle(
        "mod a; pub struct X; fn x() { a::a() }",
        "pub fn a(_: super::X) {}",
        "",
    );
    assert_eq!(parent, ["crates/x/src/a.rs", "crates/x/src/lib.rs"]);
    assert!(circle("mod a; pub struct X;", "pub fn a(_: super::X) {}", "").is_empty());
    let tests = "pub struct A; #[cfg(test)] mod tests { use crate::B; }";
    assert!(circle(root, tests, b).is_empty());
}
