//! Words of `names.md` in the names of types, functions, fields, modules and files.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};
use syn::{Field, ImplItemFn, Item, ItemConst, ItemEnum, ItemFn, ItemStatic, ItemStruct};
use syn::{ItemMod, ItemTrait, ItemType, TraitItemFn, Variant};

use crate::finding::{Finding, rows};
use crate::source::{Source, for_tests};

/// A word that was replaced by the field's word.
pub struct Word {
    /// Its parts in lower case.
    parts: Vec<String>,
    /// Whether it has to be the whole name: it is written with `=` before it.
    whole: bool,
    instead: String,
    /// The crates in which it is replaced; none for all.
    crates: Vec<String>,
}

impl Word {
    pub fn parse(text: &str) -> Vec<Self> {
        let words = rows(text).into_iter().map(|row| {
            let [word, instead, scope] = &row[..] else {
                panic!("three cells: {row:?}");
            };
            let crates = scope.split(", ").filter(|scope| *scope != "all");
            Word {
                parts: split(word.trim_start_matches('=')),
                whole: word.starts_with('='),
                instead: instead.clone(),
                crates: crates.map(str::to_owned).collect(),
            }
        });
        words.collect()
    }

    fn is_in(&self, parts: &[String]) -> bool {
        match self.whole {
            true => parts == self.parts,
            false => parts
                .windows(self.parts.len())
                .any(|part| part == self.parts),
        }
    }
}

/// The parts of a name in snake or camel case, in lower case.
fn split(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut lower = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && lower) {
            parts.push(String::new());
        }
        lower = !letter.is_uppercase();
        if let Some(part) = parts.last_mut()
            && letter != '_'
        {
            part.extend(letter.to_lowercase());
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The names that a file defines.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl Names {
    fn add(&mut self, name: &syn::Ident) {
        self.0.insert(name.to_string());
    }
}

macro_rules! visit_names {
    ($($visit:ident($item:ident: $type:ty) $name:expr;)*) => {
        $(fn $visit(&mut self, $item: &'ast $type) {
            self.add($name);
            visit::$visit(self, $item);
        })*
    };
}

impl<'ast> Visit<'ast> for Names {
    visit_names! {
        visit_item_const(item: ItemConst) &item.ident;
        visit_item_enum(item: ItemEnum) &item.ident;
        visit_item_mod(item: ItemMod) &item.ident;
        visit_item_static(item: ItemStatic) &item.ident;
        visit_item_struct(item: ItemStruct) &item.ident;
        visit_item_trait(item: ItemTrait) &item.ident;
        visit_item_type(item: ItemType) &item.ident;
        visit_impl_item_fn(item: ImplItemFn) &item.sig.ident;
        visit_trait_item_fn(item: TraitItemFn) &item.sig.ident;
        visit_variant(item: Variant) &item.ident;
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        // The name of a test is a sentence.
        if !for_tests(&item.attrs) {
            self.add(&item.sig.ident);
        }
        visit::visit_item_fn(self, item);
    }

    fn visit_field(&mut self, field: &'ast Field) {
        if let Some(name) = &field.ident {
            self.add(name);
        }
        visit::visit_field(self, field);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        // A trait chooses the names of its methods.
        if !matches!(item, Item::Impl(item) if item.trait_.is_some()) {
            visit::visit_item(self, item);
        }
    }
}

/// The names of the folders and of the file in `path`.
fn names_of_path(path: &str) -> impl Iterator<Item = String> {
    let names = path.trim_end_matches(".rs").split('/');
    names.skip(2).map(str::to_owned)
}

pub fn find(sources: &[Source], words: &[Word]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources {
        let mut names = Names::default();
        names.visit_file(&source.syntax);
        names.0.extend(names_of_path(&source.path));
        for name in names.0 {
            let parts = split(&name);
            let here = |word: &&Word| word.crates.is_empty() || word.crates.contains(&source.krate);
            for word in words.iter().filter(here).filter(|word| word.is_in(&parts)) {
                let word_found = word.parts.join("_");
                findings.push(Finding {
                    subject: format!("{}: {name}", source.krate),
                    detail: format!("{}: {word_found}; use: {}", source.path, word.instead),
                });
            }
        }
    }
    findings
}

#[test]
fn a_replaced_word_is_found_in_its_scope() {
    let words = Word::parse(
        "| word | use instead | scope |\n\
         | --- | --- | --- |\n\
         | mend | repair | all |\n\
         | look_at | inspect | all |\n\
         | =word | event | agent |\n",
    );
    let find = |path: &str, text: &str| {
        let findings = find(&[Source::parse(path, text)], &words);
        findings
            .into_iter()
            .map(|found| found.subject)
            .collect::<Vec<_>>()
    };
    let text = "struct MendIt { look_at_it: u8 } enum E { Mend, Amend }\n\
                impl E { fn mend_it() {} } mod words { type Word = u8; }\n\
                impl Foreign for E { fn mend() {} }";
    let found = ["x: Mend", "x: MendIt", "x: look_at_it", "x: mend_it"];
    assert_eq!(find("crates/x/src/a.rs", text), found);
    assert_eq!(find("crates/agent/src/a.rs", text).len(), 5);
    assert_eq!(find("crates/x/src/mend/tests.rs", ""), ["x: mend"]);
}
