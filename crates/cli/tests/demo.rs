//! The demonstration: every step behaves as it should, and nothing is left behind.

mod support;

use support::{node, types};

#[test]
fn every_step_of_the_walk_behaves_as_it_should() {
    let shown = types(&node(|igb| igb), "accelnet demo");
    assert_eq!(shown.status, 0, "{}\n{}", shown.out, shown.err);
    assert!(!shown.out.contains("unexpected result"), "{}", shown.out);
    assert!(shown.out.contains("The hardware is simulated"));
    assert!(shown.out.contains("cargo xtask lab"));
    let steps = shown.out.lines().filter(|line| line.starts_with("   $ "));
    assert!(
        shown
            .out
            .contains(&format!("Summary: {0} of {0} steps", steps.count()))
    );
}
