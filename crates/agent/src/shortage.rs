//! A shortage of file descriptors or memory: what cannot be read or done for want of them says nothing about
//! the node, and is tried again.

use accelnet_api::types::EventKind;
use accelnet_model::{Code, Node, Problem};
use accelnet_rules::conditions::Conditions;

use crate::context::Context;
use crate::observed::Snapshot;

/// How an answer of the kernel begins that means ENOMEM, ENFILE or EMFILE.
const ANSWERS: [&str; 6] = [
    "cannot allocate memory",
    "enfile",
    "emfile",
    "enomem",
    "out of memory",
    "too many open files",
];

/// Whether the kernel had no descriptors or memory left: each layer names its request, and the answer after a colon.
fn is_short(words: &str) -> bool {
    let words = words.to_lowercase();
    let mut answers = words.split(": ");
    answers.any(|words| ANSWERS.iter().any(|answer| words.starts_with(answer)))
}

/// What of `node` could not be read for want of descriptors or memory, and why.
fn unread(node: &Node) -> Option<String> {
    let mut all = node.unreadable.iter();
    let short = all.find(|one| is_short(&one.reason))?;
    Some(format!("{}: {}.", short.subject, short.reason))
}

fn problem(node: &str, found: String) -> Problem {
    let names = [node, "the kernel's report of it"];
    Problem::new(Code::NotReadable, &names, found)
        .needed("Free file descriptors and free memory.")
        .resolution(
            "The agent tries again automatically. Check 'LimitNOFILE' of its unit, 'sysctl fs.file-nr' and 'free -m' for the shortage.",
        )
}

/// Nothing can be judged by a snapshot that is incomplete for want of descriptors or memory.
///
/// # Errors
///
/// `not_readable`, with what was short.
pub(crate) fn of(ctx: &Context, snapshot: &Snapshot) -> Result<(), Problem> {
    unread(&snapshot.node).map_or(Ok(()), |found| Err(problem(&ctx.node, found)))
}

/// Whether a problem is caused by a want of descriptors or memory.
pub(crate) fn caused(problem: &Problem) -> bool {
    is_short(&problem.found) || problem.cause.as_deref().is_some_and(is_short)
}

/// Whether reconciles fail for want of descriptors or memory: its begin and its end are recorded.
#[derive(Debug, Default)]
pub(crate) struct Shortage(Conditions<(), ()>);

impl Shortage {
    /// As [`of`], for a reconcile, which is repeated later.
    pub fn check(&mut self, ctx: &Context, snapshot: &Snapshot) -> Result<(), Problem> {
        let judged = of(ctx, snapshot);
        match &judged {
            Err(problem) if self.0.raise((), (), &ctx.now()) => {
                ctx.record_problem(EventKind::Failed, &ctx.node, problem);
            }
            Ok(()) if self.0.clear(&()) => {
                let message =
                    "File descriptors and memory are available again; the agent continues.";
                ctx.record(EventKind::Repaired, &ctx.node, message);
            }
            _ => {}
        }
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::is_short;

    #[test]
    fn answers_that_mean_a_shortage_are_told_from_others() {
        for words in [
            "too many open files reading /sys/class/net",
            "list links: read: too many open files reading /sys/class/net",
            "No thread is to be had: Too many open files in system (os error 23).",
            "open a netlink socket: Cannot allocate memory (os error 12)",
            "set trust of VF 3 on link 5: ENOMEM",
        ] {
            assert!(is_short(words), "{words}");
        }
        for words in [
            "device or resource busy writing sriov_numvfs",
            "set trust of VF 3 on link 5: EOPNOTSUPP",
            "the VM too many open files has no vNIC",
        ] {
            assert!(!is_short(words), "{words}");
        }
    }
}
