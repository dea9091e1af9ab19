//! The modules of a crate, and the file that defines a name.

use std::collections::{BTreeMap, BTreeSet};

use syn::{Item, UseTree};

use crate::source::{Source, for_tests};

/// A path of names, from the root of the crate or from a module.
pub type Names = Vec<String>;

/// A name that `use` brings into a module; `*` for all names of `path`.
pub struct Import {
    pub name: String,
    pub path: Names,
}

#[derive(Default)]
struct Module {
    file: String,
    defined: BTreeSet<String>,
    imports: Vec<Import>,
}

/// The modules of a crate, without those of tests.
#[derive(Default)]
pub struct Modules(BTreeMap<Names, Module>);

/// What a path leads to.
#[derive(Debug, PartialEq)]
pub enum Target {
    Module(Names),
    /// The file that defines the item.
    Item(String),
}

impl Modules {
    pub fn of<'a>(sources: impl Iterator<Item = &'a Source>) -> Self {
        let mut modules = Modules::default();
        for source in sources {
            if let Some(module) = &source.module
                && !modules.0.contains_key(module)
            {
                modules.add(module, source, &source.syntax.items);
            }
        }
        modules
    }

    fn add(&mut self, path: &Names, source: &Source, items: &[Item]) {
        let mut module = Module {
            file: source.path.clone(),
            ..Module::default()
        };
        for item in items {
            match item {
                Item::Mod(below) => {
                    if let Some((_, items)) = &below.content
                        && !for_tests(&below.attrs)
                    {
                        let mut path = path.clone();
                        path.push(below.ident.to_string());
                        self.add(&path, source, items);
                    }
                }
                Item::Use(one) if !for_tests(&one.attrs) => {
                    flatten(&one.tree, &[], &mut module.imports);
                }
                other => module.defined.extend(defined(other)),
            }
        }
        self.0.insert(path.clone(), module);
    }

    pub fn file(&self, module: &[String]) -> Option<&str> {
        self.0.get(module).map(|module| &*module.file)
    }

    /// What `path` means in the module `at`; `None` outside of the crate.
    pub fn resolve(&self, at: &[String], path: &[String]) -> Option<Target> {
        self.follow(at, path, 16)
    }

    fn follow(&self, at: &[String], path: &[String], limit: u8) -> Option<Target> {
        let Some((name, rest)) = path.split_first() else {
            return Some(Target::Module(at.to_vec()));
        };
        let limit = limit.checked_sub(1)?;
        match &**name {
            "crate" => return self.follow(&[], rest, limit),
            "self" => return self.follow(at, rest, limit),
            "super" => return self.follow(&at[..at.len().checked_sub(1)?], rest, limit),
            _ => {}
        }
        let module = self.0.get(at)?;
        let mut below = at.to_vec();
        below.push(name.clone());
        let is_module = self.0.contains_key(&below);
        if is_module && !rest.is_empty() {
            return self.follow(&below, rest, limit);
        }
        if module.defined.contains(name) {
            return Some(Target::Item(module.file.clone()));
        }
        let named = module.imports.iter().filter(|import| import.name == *name);
        let globs = module.imports.iter().filter(|import| import.name == "*");
        let named = named.map(|import| [&import.path, rest].concat());
        let globs = globs.map(|import| [&import.path, path].concat());
        named
            .chain(globs)
            .filter(|full| full != path)
            .find_map(|full| self.follow(at, &full, limit))
            .or(is_module.then_some(Target::Module(below)))
    }
}

/// The names that `tree` imports, below `prefix`.
pub fn flatten(tree: &UseTree, prefix: &[String], imports: &mut Vec<Import>) {
    let below = |name: &syn::Ident| [prefix, &[name.to_string()]].concat();
    match tree {
        UseTree::Path(one) => flatten(&one.tree, &below(&one.ident), imports),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, prefix, imports);
            }
        }
        UseTree::Glob(_) => imports.push(Import {
            name: "*".to_owned(),
            path: prefix.to_vec(),
        }),
        UseTree::Name(one) if one.ident == "self" => imports.push(Import {
            name: prefix.last().cloned().unwrap_or_default(),
            path: prefix.to_vec(),
        }),
        UseTree::Name(one) => imports.push(Import {
            name: one.ident.to_string(),
            path: below(&one.ident),
        }),
        UseTree::Rename(one) => imports.push(Import {
            name: one.rename.to_string(),
            path: below(&one.ident),
        }),
    }
}

fn defined(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(name.to_string())
}

#[test]
fn a_name_leads_to_the_file_that_defines_it() {
    let sources = [
        Source::parse(
            "crates/x/src/lib.rs",
            "mod a; mod c; pub use a::b::B; pub use c::*;",
        ),
        Source::parse("crates/x/src/a.rs", "pub mod b; use super::c::C; struct A;"),
        Source::parse("crates/x/src/a/b.rs", "pub struct B;"),
        Source::parse("crates/x/src/c.rs", "pub struct C;"),
    ];
    let modules = Modules::of(sources.iter());
    let resolve = |path: &str| {
        let path: Names = path.split("::").map(str::to_owned).collect();
        modules.resolve(&["a".to_owned()], &path)
    };
    let item = |file: &str| Some(Target::Item(format!("crates/x/src/{file}")));
    assert_eq!(resolve("crate::B"), item("a/b.rs"));
    assert_eq!(resolve("super::C"), item("c.rs"));
    assert_eq!(resolve("C::new"), item("c.rs"));
    assert_eq!(resolve("A"), item("a.rs"));
    assert_eq!(
        resolve("b"),
        Some(Target::Module(vec!["a".into(), "b".into()]))
    );
    assert_eq!(resolve("std::fs"), None);
}
