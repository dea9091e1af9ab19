//! Every command line that the catalogue, a help page or a message names can be typed.

#[path = "support/source.rs"]
mod source;

use std::collections::BTreeSet;

use accelnet::args::Args;
use accelnet_model::catalogue;
use clap::Command;
use clap::error::ErrorKind;

/// A text with the place where it stands.
type Text = (String, String);

fn root() -> Command {
    let mut root = Args::with_examples();
    root.build();
    root
}

fn of_catalogue() -> Vec<Text> {
    let texts = catalogue::all().flat_map(|entry| {
        let texts = [entry.sentence, entry.found, entry.needed, entry.resolution];
        texts.map(|text| (entry.code.id().to_owned(), entry.named(text)))
    });
    texts.collect()
}

fn of_help(command: &mut Command, path: &str, found: &mut Vec<Text>) {
    found.push((path.to_owned(), command.render_long_help().to_string()));
    for below in command.get_subcommands_mut() {
        let path = format!("{path} {}", below.get_name());
        of_help(below, &path, found);
    }
}

/// The command lines in quotes of `text`, with values in the places for names.
fn commands(text: &str) -> Vec<String> {
    let folded: Vec<&str> = text.split_whitespace().collect();
    let folded = folded.join(" ");
    let quoted = folded.split("'accelnet").skip(1);
    quoted
        .filter_map(|rest| rest.split_once('\''))
        .filter(|(words, _)| words.is_empty() || words.starts_with(' '))
        .map(|(words, _)| {
            let mut before = "";
            let words = words.split(' ').map(|word| {
                let option = std::mem::replace(&mut before, word);
                match word {
                    "N" => "4",
                    "SETTING" | "low|medium|high" => "low",
                    word if word.starts_with('{') && option == "--store" => "etcd://name",
                    word if word.starts_with('{') => "name",
                    word => word,
                }
            });
            let words: Vec<&str> = words.collect();
            format!("accelnet{}", words.join(" "))
        })
        .collect()
}

/// Whether `line` is a command line, or the name of a command.
fn is_typed(line: &str) -> Result<(), String> {
    match Args::read(line.split(' ')) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            | ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand => Ok(()),
            _ => Err(format!("{line}: {error}")),
        },
    }
}

#[test]
fn every_command_line_of_a_hint_a_message_and_a_help_page_can_be_typed() {
    let mut texts = of_catalogue();
    of_help(&mut root(), "accelnet", &mut texts);
    // A literal with a name of a command in it is a pattern for all commands.
    let literals = source::literals().into_iter();
    texts.extend(literals.filter(|(_, text)| !text.contains("'accelnet {}")));
    let (mut typed, mut wrong) = (BTreeSet::new(), Vec::new());
    for (place, text) in texts {
        for line in commands(&text) {
            if let Err(error) = is_typed(&line) {
                wrong.push(format!("{place}: {error}"));
            }
            typed.insert(line);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(typed.len() > 60, "only {} command lines", typed.len());
}

#[test]
fn a_command_line_that_does_not_exist_is_found() {
    let lines = commands("Run 'accelnet vm\n  lits', or 'accelnet vm enable {0} --fast' as root.");
    assert_eq!(
        lines,
        ["accelnet vm lits", "accelnet vm enable name --fast"]
    );
    assert!(lines.iter().all(|line| is_typed(line).is_err()));
}

fn options(command: &Command, found: &mut BTreeSet<String>) {
    let long = command.get_arguments().filter_map(|arg| arg.get_long());
    found.extend(long.map(|long| format!("--{long}")));
    for below in command.get_subcommands() {
        options(below, found);
    }
}

#[test]
fn every_option_that_the_catalogue_names_exists() {
    let mut known = BTreeSet::new();
    options(&root(), &mut known);
    let mut named = 0;
    for (place, text) in of_catalogue() {
        let words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
        for word in words.filter(|word| word.starts_with("--")) {
            assert!(known.contains(word), "{place}: {word}");
            named += 1;
        }
    }
    assert!(named > 10, "only {named} options");
}
