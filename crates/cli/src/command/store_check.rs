//! `accelnet store check`: what cannot be read of the store.

use std::path::PathBuf;

use accelnet_agent::check::{self, Checked, Repaired};
use accelnet_agent::unread::shown;
use accelnet_model::Code;
use accelnet_model::outside::short;
use serde::{Deserialize, Serialize};

use super::store_opened::{self, Missing};
use super::{Result, ask};
use crate::args::StoreCheck;
use crate::session::Session;

/// Most characters of a reason that are shown.
const REASON: usize = 200;

#[derive(Clone, Serialize, Deserialize)]
struct Answer {
    #[serde(flatten)]
    checked: Checked,
    /// Where the values are that were moved.
    set_aside: Option<PathBuf>,
    repaired: Option<Repaired>,
}

/// Checks it, and repairs it where that is asked for.
pub fn run(args: &StoreCheck, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let checked = check::check(&*opened.store)?;
    let damaged = checked.unreadable.iter().any(|one| !one.later);
    let mut answer = Answer {
        checked,
        set_aside: None,
        repaired: None,
    };
    if args.repair && damaged {
        let damaged = check::damaged(&*opened.store, &session.host.clock.now())?;
        let file = args.into.clone().unwrap_or_else(|| {
            let name = format!("set-aside-{}.json", store_opened::seconds());
            opened.last_read.with_file_name(name)
        });
        store_opened::write(&file, &damaged)?;
        answer.set_aside = Some(file);
        session.changed = true;
        let last = opened.last_read();
        answer.repaired = Some(check::repair(&*opened.store, &damaged, last.as_ref())?);
    }
    let left = match &answer.repaired {
        Some(repaired) => !repaired.left.is_empty(),
        None => !answer.checked.unreadable.is_empty(),
    };
    ask::tell(session, args.output, &answer, |answer, _, _| {
        in_words(answer, &opened.name)
    });
    match left {
        true => Ok(Code::StoreValueUnreadable.entry().exit_status),
        false => Ok(0),
    }
}

fn in_words(answer: &Answer, name: &str) -> String {
    let Checked { keys, unreadable } = &answer.checked;
    let mut text = match unreadable.len() {
        0 => return format!("All {keys} keys of {name} can be read.\n"),
        some => format!("{some} of {keys} keys of {name} cannot be read:\n"),
    };
    for one in unreadable {
        text += &format!("  {}: {}\n", shown(&one.key), short(&one.reason, REASON));
    }
    let Some((repaired, file)) = answer.repaired.as_ref().zip(answer.set_aside.as_ref()) else {
        return text;
    };
    text += &format!("Their values are in {}.\n", file.display());
    let mut list = |what: &str, keys: &[String]| {
        for key in keys {
            text += &format!("{what} {}.\n", shown(key));
        }
    };
    list("Put back what was read before of", &repaired.replaced);
    list("Removed", &repaired.removed);
    list("Left", &repaired.left);
    text
}
