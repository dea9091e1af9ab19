//! The parsed sources of all crates.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::Attribute;

/// A parsed file.
pub struct Source {
    /// The name of its crate's folder.
    pub krate: String,
    /// The path in the repository.
    pub path: String,
    /// The path of its module in the crate; `None` outside of `src`.
    pub module: Option<Vec<String>>,
    /// Whether it belongs to tests only.
    pub test: bool,
    pub lines: usize,
    pub syntax: syn::File,
}

impl Source {
    pub fn parse(path: &str, text: &str) -> Self {
        let parts: Vec<&str> = path.trim_end_matches(".rs").split('/').collect();
        let at = parts.iter().position(|part| *part == "src");
        let module = at.map(|at| {
            let names = parts[at + 1..].iter();
            let names = names.filter(|name| !["lib", "main", "mod"].contains(name));
            names.map(|name| (*name).to_owned()).collect()
        });
        let krate = parts[usize::from(parts[0] == "crates")];
        Source {
            krate: krate.to_owned(),
            path: path.to_owned(),
            test: parts.contains(&"tests"),
            module,
            lines: text.lines().count(),
            syntax: syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }
}

/// All sources, in the order of their paths.
pub fn all() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in ["crates", "lab", "xtask"] {
        files(&top().join(folder), &mut paths);
    }
    paths.sort();
    let mut sources: Vec<Source> = paths
        .iter()
        .map(|path| {
            let path = path.strip_prefix(top()).expect("below the top");
            let path = path.to_str().expect("UTF-8");
            Source::parse(path, &read(path))
        })
        .collect();
    mark_tests(&mut sources);
    sources
}

/// Marks the files of modules that are declared with `#[cfg(test)]`.
fn mark_tests(sources: &mut [Source]) {
    let mut tests = Vec::new();
    for source in sources.iter() {
        for item in &source.syntax.items {
            if let (syn::Item::Mod(one), Some(module)) = (item, &source.module)
                && for_tests(&one.attrs)
            {
                let mut path = module.clone();
                path.push(one.ident.to_string());
                tests.push((source.krate.clone(), path));
            }
        }
    }
    for source in sources {
        source.test |= tests.iter().any(|(krate, path)| {
            let inside = |module: &Vec<String>| module.starts_with(path);
            *krate == source.krate && source.module.as_ref().is_some_and(inside)
        });
    }
}

/// Whether `#[cfg(test)]` or `#[test]` is among `attributes`.
pub fn for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        meta => meta.path().is_ident("test"),
    })
}

/// Calls `each` with every path of two or more names in `tokens`, which no parser understands: what
/// macros and attributes contain.
pub fn paths_of_tokens(tokens: TokenStream, each: &mut impl FnMut(Vec<String>)) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    for token in tokens {
        match token {
            TokenTree::Ident(name) if path.is_empty() || colons == 2 => {
                path.push(name.to_string());
                colons = 0;
                continue;
            }
            TokenTree::Punct(mark) if mark.as_char() == ':' && !path.is_empty() => {
                colons += 1;
                continue;
            }
            other => {
                finish(&mut path, each);
                colons = 0;
                match other {
                    TokenTree::Ident(name) => path.push(name.to_string()),
                    TokenTree::Group(group) => paths_of_tokens(group.stream(), each),
                    TokenTree::Literal(literal) => {
                        let text = literal.to_string();
                        let text = text.trim_matches('"');
                        if text.starts_with("crate::") || text.starts_with("super::") {
                            each(text.split("::").map(str::to_owned).collect());
                        }
                    }
                    TokenTree::Punct(_) => {}
                }
            }
        }
    }
    finish(&mut path, each);
}

fn finish(path: &mut Vec<String>, each: &mut impl FnMut(Vec<String>)) {
    let path = std::mem::take(path);
    if path.len() > 1 {
        each(path);
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    for entry in entries {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

fn top() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask is in the repository")
}

pub fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
