//! A wrong command line, in the form of every other error.

use std::error::Error as _;

use accelnet_model::outside;
use accelnet_rules::nearest::{absent, nearest};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::args::{Args, ColorChoice};
use crate::render::labelled;

/// The longest word that is shown.
const LONGEST: usize = 200;
/// The most values of an option that are listed.
const LISTED: usize = 5;

/// What is wrong, why, and what helps.
struct Wrong {
    what: String,
    cause: String,
    hint: Option<String>,
}

/// The message for `error` about the words of a command line, the program's name first; none if it is
/// an answer, as help is.
pub fn text(error: &Error, words: &[String], colour: bool) -> Option<String> {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return None;
    }
    let root = Args::with_examples();
    let (path, command) = named_command(&root, words);
    let wrong = wrong(error, &root, &path, command);
    let help = match command.has_subcommands() {
        true => format!("Run '{path} --help' for all commands."),
        false => format!("Run '{path} --help' for its arguments and options."),
    };
    let usage = command.clone().bin_name(&path).render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").replace('\n', " ");
    let details = [
        ("cause", wrong.cause),
        ("hint", wrong.hint.unwrap_or(help)),
        ("usage", usage),
    ];
    Some(labelled("error:", &wrong.what, &details, colour))
}

/// What `words`, which cannot be parsed, request about colour with --color.
pub fn choice(words: &[String]) -> ColorChoice {
    let last = words
        .iter()
        .enumerate()
        .rev()
        .find_map(|(at, word)| match &**word {
            "--color" => words.get(at + 1).map(String::as_str),
            word => word.strip_prefix("--color="),
        });
    match last {
        Some("always") => ColorChoice::Always,
        Some("never") => ColorChoice::Never,
        _ => ColorChoice::Auto,
    }
}

/// The command that `words` name, with its path.
fn named_command<'a>(root: &'a Command, words: &[String]) -> (String, &'a Command) {
    let (mut path, mut command) = (root.get_name().to_owned(), root);
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word.starts_with('-') {
            let global = root
                .get_arguments()
                .find(|arg| arg.is_global_set() && arg.get_long() == word.strip_prefix("--"));
            if global.is_some() {
                words.next();
            }
            continue;
        }
        let Some(below) = command.find_subcommand(word) else {
            break;
        };
        path = format!("{path} {}", below.get_name());
        command = below;
    }
    (path, command)
}

fn wrong(error: &Error, root: &Command, path: &str, command: &Command) -> Wrong {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let word = context(error, ContextKind::InvalidSubcommand);
            let all = command.get_subcommands().filter(|sub| !sub.is_hide_set());
            let has = format!("'{path}' has");
            let names = all.map(Command::get_name);
            let cause = absent(&word, &has, ("command", "commands"), names);
            Wrong {
                what: format!("'{path}' has no command '{word}'"),
                cause,
                hint: None,
            }
        }
        ErrorKind::UnknownArgument => unknown(error, root, path, command),
        ErrorKind::InvalidValue => value(error),
        ErrorKind::ValueValidation => refused(error),
        ErrorKind::MissingRequiredArgument => Wrong {
            what: format!("'{path}' needs more arguments"),
            cause: format!(
                "Missing: {}",
                or_else(command, &context(error, ContextKind::InvalidArg))
            ),
            hint: None,
        },
        ErrorKind::TooManyValues => {
            let switch = context(error, ContextKind::InvalidArg);
            let given = context(error, ContextKind::InvalidValue);
            Wrong {
                what: format!("'{switch}' takes no value"),
                cause: format!("The value '{given}' is given."),
                hint: Some(format!("Omit '={given}'.")),
            }
        }
        ErrorKind::ArgumentConflict => conflict(error),
        ErrorKind::InvalidUtf8 => Wrong {
            what: "an argument is not text".to_owned(),
            cause: "An argument is not valid UTF-8.".to_owned(),
            hint: None,
        },
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            let first = first.strip_prefix("error: ").unwrap_or(first);
            Wrong {
                what: outside::short(first, LONGEST),
                cause: "The command line is invalid.".to_owned(),
                hint: None,
            }
        }
    }
}

/// What is missing, with the options of `command` that would do as well.
fn or_else(command: &Command, missing: &str) -> String {
    let others: &[&str] = match (command.get_name(), missing.split(' ').next()) {
        ("set", Some("--performance")) => &["--trust", "--spoof-check"],
        ("set", Some("--intent")) => &["--node-reserve", "--performance-settings"],
        ("enable", Some("<NAME>...")) => &["--all"],
        _ => &[],
    };
    let has = |long: &&&str| {
        let mut own = command.get_arguments().filter_map(|one| one.get_long());
        own.any(|one| long.strip_prefix("--") == Some(one))
    };
    match others
        .iter()
        .filter(has)
        .copied()
        .collect::<Vec<_>>()
        .as_slice()
    {
        [] => missing.to_owned(),
        [only] => format!("{missing} or {only}"),
        [first, last @ ..] => format!("{missing}, {first} or {}", last.join(" or ")),
    }
}

/// How a number is given to an option whose value comes after '='.
fn with_equals(command: &Command, word: &str) -> Option<String> {
    word.parse::<u32>().ok()?;
    let mut options = command.get_arguments();
    let option = options.find(|one| one.is_require_equals_set())?;
    let long = option.get_long()?;
    Some(format!(
        "If {word} is the value of --{long}, write '--{long}={word}'."
    ))
}

/// An option or a word that the command does not have.
fn unknown(error: &Error, root: &Command, path: &str, command: &Command) -> Wrong {
    let word = context(error, ContextKind::InvalidArg);
    if word.starts_with('-') && word.parse::<f64>().is_ok() {
        return Wrong {
            what: format!("'{path}' does not accept the negative number {word}"),
            cause: "A word that begins with '-' is an option.".to_owned(),
            hint: Some("Use a number that is not negative.".to_owned()),
        };
    }
    if !word.starts_with('-') {
        return Wrong {
            what: format!("'{path}' does not accept the argument '{word}'"),
            cause: format!("'{path}' takes no further arguments."),
            hint: with_equals(command, &word),
        };
    }
    let longs = |command: &Command| -> Vec<String> {
        let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
        shown
            .filter_map(|arg| arg.get_long())
            .map(|long| format!("--{long}"))
            .collect()
    };
    let name = word.split('=').next().unwrap_or_default();
    let mut own = longs(command);
    own.extend(longs(root));
    let mut others = elsewhere(root, root.get_name(), &|one| {
        longs(one).iter().any(|long| long == name)
    });
    // Those of the same group come first, then the shortest.
    let group = path.rsplit_once(' ').map_or(path, |(group, _)| group);
    others.sort_by_key(|other| (!other.starts_with(group), other.split(' ').count()));
    if let ([first, ..], true) = (others.as_slice(), command.has_subcommands()) {
        return Wrong {
            what: format!("'{path}' has no option '{name}'"),
            cause: format!("It is an option of single commands, such as '{first}'."),
            hint: Some("Write the option after the command.".to_owned()),
        };
    }
    let bare = own.iter().map(|long| long.trim_start_matches('-'));
    let near = nearest(name.trim_start_matches('-'), bare);
    let has = format!("'{path}' has {} options", own.len());
    let cause = match (others.as_slice(), near) {
        (_, Some(near)) => format!("{has}; the nearest name is --{near}."),
        ([], None) => format!("{has}, and none has a similar name."),
        ([only], None) => format!("It is an option of '{only}'."),
        ([first, ..], None) => {
            format!("It is an option of other commands, such as '{first}'.")
        }
    };
    Wrong {
        what: format!("'{path}' has no option '{name}'"),
        cause,
        hint: None,
    }
}

/// The commands below `path` that `has` accepts.
fn elsewhere(command: &Command, path: &str, has: &dyn Fn(&Command) -> bool) -> Vec<String> {
    let mut all = Vec::new();
    for below in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", below.get_name());
        if has(below) {
            all.push(path.clone());
        }
        all.extend(elsewhere(below, &path, has));
    }
    all
}

/// A value that an option does not have.
fn value(error: &Error) -> Wrong {
    let option = context(error, ContextKind::InvalidArg);
    let given = context(error, ContextKind::InvalidValue);
    let valid: Vec<&str> = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(all)) => all.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    };
    let cause = match valid.as_slice() {
        [] if given.is_empty() => "The value is empty or missing.".to_owned(),
        [] => "The value is invalid.".to_owned(),
        few if few.len() <= LISTED => match nearest(&given, few.iter().copied()) {
            Some(name) => format!(
                "The values are {}; the nearest name is {name}.",
                few.join(", ")
            ),
            None => format!("The values are {}.", few.join(", ")),
        },
        many => {
            let has = format!("'{option}' has");
            absent(&given, &has, ("value", "values"), many.iter().copied())
        }
    };
    let what = match given.is_empty() {
        true => format!("'{option}' needs a value"),
        false => format!("invalid value '{given}' for '{option}'"),
    };
    Wrong {
        what,
        cause,
        hint: None,
    }
}

/// A value that is refused for a reason.
fn refused(error: &Error) -> Wrong {
    let option = context(error, ContextKind::InvalidArg);
    let given = context(error, ContextKind::InvalidValue);
    let source = error.source().map(ToString::to_string);
    let source = source.unwrap_or_default();
    let reason = match source.as_str() {
        "invalid digit found in string" => format!("{given} is not a whole number."),
        "number too large to fit in target type" => format!("{given} is too large."),
        "number too small to fit in target type" => format!("{given} is too small."),
        "cannot parse integer from empty string" => "The value is empty.".to_owned(),
        "invalid socket address syntax" => {
            format!("{given} is not ADDR:PORT, such as 192.0.2.1:7443.")
        }
        other => match other.split_once(" is not in ") {
            Some((number, range)) => {
                let range = range.trim_end_matches(&format!("={}", u32::MAX));
                let range = range.replace("..=", " to ");
                match range.strip_suffix("..") {
                    Some(least) => format!("{number} is less than {least}."),
                    None => format!("{number} is not in the range {range}."),
                }
            }
            None => format!(
                "{}.",
                outside::short(other, 2 * LONGEST).trim_end_matches('.')
            ),
        },
    };
    Wrong {
        what: format!("invalid value '{given}' for '{option}'"),
        cause: reason,
        hint: None,
    }
}

/// Options that exclude each other.
fn conflict(error: &Error) -> Wrong {
    let option = context(error, ContextKind::InvalidArg);
    let other = context(error, ContextKind::PriorArg);
    if option == other || other.is_empty() {
        return Wrong {
            what: format!("'{option}' is given twice"),
            cause: "The option has one value.".to_owned(),
            hint: Some("Omit one of the two.".to_owned()),
        };
    }
    Wrong {
        what: format!("'{option}' cannot be used with '{other}'"),
        cause: "The two exclude each other.".to_owned(),
        hint: Some("Omit one of the two.".to_owned()),
    }
}

/// What `error` reports about `kind`, without hidden characters.
fn context(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => outside::short(text, LONGEST),
        Some(ContextValue::Strings(all)) => {
            let all: Vec<String> = all.iter().map(|one| outside::short(one, LONGEST)).collect();
            all.join(", ")
        }
        _ => String::new(),
    }
}
