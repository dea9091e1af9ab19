use accelnet_model::Code;

use super::*;

fn shown(all: &[(&str, Problem)]) -> String {
    let refused = all.iter().map(|(name, problem)| Refused {
        name,
        subject: name,
        problem,
    });
    problems("VMs", refused, false)
}

fn down(node: &str) -> Problem {
    Problem::new(Code::NodeDown, &[node], "It sends no heartbeats.")
}

fn bare(vm: &str) -> Problem {
    let found = format!("VM {vm} has no performance setting.");
    Problem::new(Code::VmNotAccelerated, &[vm], found)
}

#[test]
fn one_error_of_several_subjects_is_one_block_with_the_subjects() {
    let all = [("a", down("n2")), ("b", down("n2")), ("c", down("n3"))];
    let text = shown(&all);
    assert!(
        text.starts_with(
            "error: node n2 or its agent is down [node_down]\n  VMs:   a, b\n  cause: it sends"
        ),
        "{text}"
    );
    assert_eq!(text.matches("error:").count(), 2, "{text}");
    let (_, last) = text.split_once("error: node n3").expect("two blocks");
    assert!(!last.contains("VMs:"), "{text}");
}

#[test]
fn an_error_that_names_its_subject_is_followed_by_the_others() {
    let text = shown(&[("a", bare("a")), ("web1", bare("web1")), ("db", bare("db"))]);
    assert_eq!(text.matches("error:").count(), 1, "{text}");
    assert!(
        text.starts_with(
            "error: VM a is not accelerated [vm_not_accelerated]\n  also:  web1, db\n  cause: VM a has"
        ),
        "{text}"
    );
}

#[test]
fn errors_that_differ_in_more_than_the_name_stay_apart() {
    let other = Problem {
        found: "VM b is unknown.".to_owned(),
        ..bare("b")
    };
    let text = shown(&[("a", bare("a")), ("b", other), ("c", down("c"))]);
    assert_eq!(text.matches("error:").count(), 3, "{text}");
    assert!(!text.contains("also:"), "{text}");
}

#[test]
fn a_subject_that_is_named_twice_is_listed_once() {
    let text = shown(&[("a", bare("a")), ("a", bare("a")), ("b", bare("b"))]);
    assert!(text.contains("also:  b\n"), "{text}");
}
