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
    /// Where the values are that were moved, or would be.
    set_aside: Option<PathBuf>,
    /// What was repaired, or would be.
    repaired: Option<Repaired>,
    /// Whether nothing was done.
    dry_run: bool,
}

/// Checks it, and repairs it where that is requested.
pub fn run(args: &StoreCheck, session: &mut Session<'_>) -> Result {
    let opened = store_opened::open(&args.which, Missing::Refuse, session)?;
    let checked = check::check(&*opened.store)?;
    let damaged = checked.unreadable.iter().any(|one| !one.newer_format);
    let mut answer = Answer {
        checked,
        set_aside: None,
        repaired: None,
        dry_run: args.dry_run,
    };
    if args.repair && damaged {
        let damaged = check::damaged(&*opened.store, &session.host.clock.now())?;
        let file = args.into.clone().unwrap_or_else(|| {
            let name = format!("set-aside-{}.json", store_opened::seconds());
            opened.last_read.with_file_name(name)
        });
        if !args.dry_run {
            store_opened::write(&file, &damaged)?;
            session.changed = true;
        }
        answer.set_aside = Some(file);
        let last = opened.last_read();
        let repaired = check::repair(&*opened.store, &damaged, last.as_ref(), args.dry_run)?;
        answer.repaired = Some(repaired);
    }
    let left = match &answer.repaired {
        Some(repaired) => !repaired.remaining.is_empty(),
        None => !answer.checked.unreadable.is_empty(),
    };
    ask::print_answer(session, args.output, &answer, |answer, _, _| {
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
    let (place, put_back, removed, left) = match answer.dry_run {
        true => (
            "Dry run: their values would be in",
            "Would restore the earlier value of",
            "Would remove",
            "Would leave",
        ),
        false => (
            "Their values are in",
            "Restored the earlier value of",
            "Removed",
            "Left",
        ),
    };
    text += &format!("{place} {}.\n", file.display());
    let mut list = |what: &str, keys: &[String]| {
        for key in keys {
            text += &format!("{what} {}.\n", shown(key));
        }
    };
    list(put_back, &repaired.replaced);
    list(removed, &repaired.removed);
    list(left, &repaired.remaining);
    text
}
