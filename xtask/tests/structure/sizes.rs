//! The lengths of files and functions.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, ItemMod, Signature};

use crate::finding::Finding;
use crate::source::{Source, for_tests};

const LINES_OF_A_FILE: usize = 450;
const LINES_OF_A_FUNCTION: usize = 60;

/// The functions of a file that are too long.
#[derive(Default)]
struct Functions(Vec<(String, usize)>);

impl Functions {
    fn measure(&mut self, signature: &Signature, block: &Block) {
        let first = signature.fn_token.span().start().line;
        let last = block.span().end().line;
        let lines = last + 1 - first;
        if lines > LINES_OF_A_FUNCTION {
            self.0.push((signature.ident.to_string(), lines));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !for_tests(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.measure(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

pub fn find(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = sources.iter().filter(|source| source.module.is_some());
    for source in sources.filter(|source| source.path.starts_with("crates/")) {
        if source.lines > LINES_OF_A_FILE {
            findings.push(Finding {
                subject: source.path.clone(),
                detail: format!("has {} lines of at most {LINES_OF_A_FILE}", source.lines),
            });
        }
        if source.krate == "agent" && !source.test {
            let mut functions = Functions::default();
            functions.visit_file(&source.syntax);
            findings.extend(functions.0.into_iter().map(|(name, lines)| Finding {
                subject: format!("{}: {name}", source.path),
                detail: format!("has {lines} lines of at most {LINES_OF_A_FUNCTION}"),
            }));
        }
    }
    findings
}

#[test]
fn long_files_and_functions_are_found() {
    let find = |path: &str, text: &str| find(&[Source::parse(path, text)]).len();
    let function = |lines: usize| format!("fn a() {{{}}}\n", "\n".repeat(lines - 1));
    assert_eq!(find("crates/agent/src/a.rs", &function(60)), 0);
    assert_eq!(find("crates/agent/src/a.rs", &function(61)), 1);
    assert_eq!(find("crates/agent/src/a/tests.rs", &function(61)), 0);
    assert_eq!(find("crates/rules/src/a.rs", &function(61)), 0);
    assert_eq!(find("crates/rules/src/a.rs", &"\n".repeat(450)), 0);
    assert_eq!(find("crates/rules/src/a.rs", &"\n".repeat(451)), 1);
    assert_eq!(find("lab/src/a.rs", &"\n".repeat(451)), 0);
}
