//! Changes of adapters: each by itself, and what came of each.

use accelnet_api::types::{AdaptersChange, Failure};
use accelnet_host::execute::Progress;
use accelnet_host::observe;
use accelnet_model::vf_plan::Ask;
use accelnet_model::{AdapterSummary, Code, Observed, Problem};
use accelnet_rules::adapter_summary;
use serde::Serialize;

use super::{Result, ask, simulated};
use crate::args::{Change, Output};
use crate::audit::{self, Asked};
use crate::change::{self, Changed, Request};
use crate::render::{self, ProgressLine, Refused};
use crate::session::Session;

const ADAPTERS: &str = "adapters";

/// What came of one of several. Its JSON is part of the API.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum One {
    Done(Box<Changed>),
    Failed(Box<Failure>),
}

/// Changes the adapters with these names, and every adapter whose VFs can be given to VMs
/// when there is no name.
pub fn run(names: &[String], ask: Ask, how: &Change, session: &mut Session<'_>) -> Result {
    if simulated::is(session)? {
        return by_agent(names, ask, how, session);
    }
    let asked = (!how.dry_run).then(|| Asked::of_adapters(names, in_words(ask)));
    audit::recorded(asked, session, |session| here(names, ask, how, session))
}

/// What is requested, an imperative.
fn in_words(ask: Ask) -> &'static str {
    match ask {
        Ask::All | Ask::Exactly(_) => "create VFs",
        Ask::Off => "remove all VFs",
    }
}

/// Changes adapters of this machine.
fn here(names: &[String], ask: Ask, how: &Change, session: &mut Session<'_>) -> Result {
    if let [only] = names {
        let changed = one(only, ask, how, session)?;
        match how.output {
            Output::Json => session.print_json(&changed),
            Output::Table => session.print(&render::changed(&render::clean(&changed))),
        }
        return Ok(0);
    }
    let names = match names {
        [] => able(session)?,
        names => names.to_vec(),
    };
    let (mut all, mut failed) = (Vec::new(), Vec::new());
    let mut status = 0;
    for name in &names {
        match one(name, ask, how, session) {
            Ok(changed) => {
                if how.output == Output::Table {
                    session.print(&render::changed(&render::clean(&changed)));
                }
                all.push(One::Done(Box::new(changed)));
            }
            Err(problem) => {
                if status == 0 {
                    status = problem.exit_status();
                }
                failed.push((name.clone(), problem.clone()));
                all.push(One::Failed(Box::new(problem.into())));
            }
        }
    }
    if how.output == Output::Table {
        let failed = render::clean(&failed);
        let refused = failed.iter().map(|(name, problem)| Refused {
            name,
            subject: name,
            problem,
        });
        session.fail_all(ADAPTERS, refused);
    }
    if how.output == Output::Json {
        session.print_json(&all);
    }
    Ok(status)
}

/// Changes one, with a progress line.
fn one(
    name: &str,
    ask: Ask,
    how: &Change,
    session: &mut Session<'_>,
) -> std::result::Result<Changed, Problem> {
    let request = Request {
        name,
        ask,
        within: how.within(),
        dry_run: how.dry_run,
    };
    let line = ProgressLine::new(session.progress, request.within);
    let mut show = |progress: Progress<'_>| line.show(progress);
    let on: Option<&mut dyn FnMut(Progress<'_>)> = match session.progress {
        true => Some(&mut show),
        false => None,
    };
    let changed = change::run(&session.host, request, on);
    line.end();
    session.changed |= changed.as_ref().is_ok_and(|changed| changed.applied);
    changed
}

/// The adapters whose VFs can be given to VMs; the others are reported with why not.
fn able(session: &mut Session<'_>) -> std::result::Result<Vec<String>, Problem> {
    let node = observe::node(&session.host);
    let adapters = match &node.adapters {
        Observed::Known(adapters) => adapters,
        Observed::Unknown(reason) => {
            let names = ["The list of adapters", "/sys/bus/pci"];
            return Err(Problem::new(Code::NotReadable, &names, reason.clone()));
        }
    };
    let (able, others): (Vec<AdapterSummary>, Vec<AdapterSummary>) = adapters
        .iter()
        .map(|adapter| adapter_summary::summary(&node, node.display_name(), adapter))
        .partition(|adapter| adapter.supported);
    for other in &others {
        let reasons: Vec<&str> = other.reasons.iter().map(|code| code.id()).collect();
        session.note(&format!(
            "note: {} is left out: {}",
            other.name,
            reasons.join(", ")
        ));
    }
    if able.is_empty() {
        let found = match others.as_slice() {
            [] => "This node has no adapter at all.".to_owned(),
            others => {
                let names: Vec<&str> = others.iter().map(|other| other.name.as_str()).collect();
                format!("None of {} can.", names.join(", "))
            }
        };
        let problem = Problem::new(Code::SriovUnknown, &["of this node"], found);
        return Err(
            problem.resolution("'accelnet prereq' shows the failed checks of each adapter.")
        );
    }
    Ok(able.into_iter().map(|adapter| adapter.name).collect())
}

/// Has the agent of a host that is simulated or elsewhere do it.
fn by_agent(names: &[String], ask: Ask, how: &Change, session: &mut Session<'_>) -> Result {
    let request = AdaptersChange {
        names: names.to_vec(),
        vfs: match ask {
            Ask::All => None,
            Ask::Exactly(vfs) => Some(vfs),
            Ask::Off => Some(0),
        },
        timeout_seconds: (how.timeout != Change::TIMEOUT).then_some(how.timeout),
        dry_run: how.dry_run,
    };
    let agent = session.agent()?;
    let what = "changing adapters";
    let changed = ask::waiting(session, what, || agent.adapters_change(&request))?;
    if how.output == Output::Json {
        session.print_json(&changed);
    } else {
        let results = render::clean(&changed).results;
        for result in results.iter().filter(|result| result.problem.is_none()) {
            session.print(&format!("{}: {}\n", result.name, result.message));
        }
        let refused = results.iter().filter_map(|result| {
            Some(Refused {
                name: &result.name,
                subject: &result.name,
                problem: result.problem.as_ref()?,
            })
        });
        session.fail_all(ADAPTERS, refused);
    }
    let results = changed.results.iter();
    Ok(ask::first(
        changed.ok,
        results.filter_map(|result| result.problem.as_ref()),
    ))
}
