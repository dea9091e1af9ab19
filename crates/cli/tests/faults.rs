//! The fault table: everything that goes wrong while VFs are switched on and off, what an
//! administrator reads then, what is left behind, and how the next call goes on from it.
//!
//! The page is `faults.golden.md`. After a change of words, read what `UPDATE_GOLDEN=1
//! cargo test -p accelnet --test faults` made of it.

#[path = "faults/in_use.rs"]
mod in_use;
#[path = "faults/observed.rs"]
mod observed;
#[path = "faults/page.rs"]
mod page;
#[path = "faults/refused.rs"]
mod refused;
mod support;
#[path = "faults/unfinished.rs"]
mod unfinished;

use page::Page;

#[test]
fn every_fault_is_reported_and_the_next_call_goes_on_from_it() {
    let mut page = Page::default();
    page.text(
        "# What goes wrong, and how it is told\n\n\
         Written by `crates/cli/tests/faults.rs`, which lets each of these happen to a simulated\n\
         node and types the commands. The line in brackets says what the command left behind.\n",
    );
    page.text("\n# The kernel or the driver refuses\n");
    refused::write(&mut page);
    page.text("\n# A change that is not finished\n");
    unfinished::write(&mut page);
    page.text("\n# VFs in use\n");
    in_use::write(&mut page);
    page.text("\n# What cannot be read\n");
    observed::write(&mut page);
    page.compare("tests/faults.golden.md");
    page.is_right();
}
