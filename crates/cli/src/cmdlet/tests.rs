use clap::CommandFactory;
use proptest::prelude::*;

use super::*;
use crate::args::*;

const TERMINAL: Pipes = Pipes {
    input: false,
    people: true,
};
const PIPE: Pipes = Pipes {
    input: true,
    people: false,
};

fn typed(line: &[&str], pipes: Pipes) -> Result<Typed, Wrong> {
    let cmdlet = called(OsStr::new(line[0])).expect("a cmdlet");
    let words: Vec<String> = line[1..].iter().map(|word| (*word).to_owned()).collect();
    read(cmdlet, &words, pipes)
}

fn command(line: &[&str]) -> Command {
    match typed(line, TERMINAL) {
        Ok(Typed::Run(args, _)) => args.command,
        other => panic!("{line:?}: {other:?}"),
    }
}

fn wrong(line: &[&str]) -> String {
    match typed(line, TERMINAL) {
        Err(wrong) => wrong.0.lines().next().unwrap_or_default().to_owned(),
        other => panic!("{line:?}: {other:?}"),
    }
}

/// What an `Enable-AccelNetVM` came to.
fn enabled(words: &[&str]) -> (Vec<String>, String) {
    match command(&[&["Enable-AccelNetVM"], words].concat()) {
        Command::Vm(VmCommand::Enable(args)) => (args.names, args.performance),
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn parameters_are_read_in_every_spelling() {
    for words in [
        &["-VMName", "a", "-Performance", "High"][..],
        &["-vmname", "a", "-PERFORMANCE", "High"],
        &["-VM", "a", "-Perf", "High"],
        &["-vm:a", "-p:High"],
        &["-Performance", "High", "a"],
        &["a", "High"],
        &["a", "-Confirm:$false", "-Performance", "High"],
        &["a", "High", "-Confirm:"],
        &["\u{2013}VMName", "a", "\u{2014}Performance", "High"],
    ] {
        assert_eq!(
            enabled(words),
            (vec!["a".to_owned()], "High".to_owned()),
            "{words:?}"
        );
    }
}

#[test]
fn lists_have_commas_in_every_spelling() {
    for words in [
        &["-VMName", "a, b", "-P", "Low"][..],
        &["-VMName", "a,b", "-P", "Low"],
        &["-VMName", "a,", "b", "-P", "Low"],
        &["-VMName", "a", ",", "b", "-P", "Low"],
        &["-VMName", "a", ",b", "-P", "Low"],
        &["-VMName:a,b", "-P", "Low"],
        &["a,", "b", "Low"],
        &[" a , b ,", "-P", "Low"],
    ] {
        assert_eq!(enabled(words).0, ["a", "b"], "{words:?}");
    }
}

#[test]
fn a_reserve_that_is_blank_or_absent_is_50_percent() {
    for (words, reserve) in [
        (
            &["-IntentName", "x", "-NodeReservePercentage"][..],
            Some("50"),
        ),
        (&["-NodeReservePercentage", "-IntentName", "x"], Some("50")),
        (&["-NodeReservePercentage:", "-IntentName", "x"], Some("50")),
        (
            &["-NodeReservePercentage", "", "-IntentName", "x"],
            Some("50"),
        ),
        (&["-Node", "-1", "-IntentName", "x"], Some("-1")),
        (&["x", "25"], Some("25")),
        (&["x"], Some("50")),
    ] {
        match command(&[&["Enable-AccelNetManagement"], words].concat()) {
            Command::Enable(args) => {
                assert_eq!(args.node_reserve.as_deref(), reserve, "{words:?}");
                assert_eq!(args.intent, "x");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn what_makes_no_sense_is_reported() {
    for (line, words) in [
        (
            &["Enable-AccelNetVM", "-V", "a"][..],
            "-V could be any of -VMName, -Verbose; write more of it",
        ),
        (
            &["Get-VM", "-Frobnicate"],
            "there is no parameter -Frobnicate; the parameters are -Name, -Verbose, -Help",
        ),
        (&["Get-VM", "-WhatIf"], "there is no parameter -WhatIf"),
        (&["Enable-AccelNetManagement"], "-IntentName is required"),
        (
            &["Enable-AccelNetManagement", "-IntentName"],
            "-IntentName needs a value",
        ),
        (
            &["Enable-AccelNetVM", "-VMName", "-Performance", "Low"],
            "-VMName needs a value",
        ),
        (
            &["Enable-AccelNetVM", "a", "-VMName", "b"],
            "-VMName is given twice",
        ),
        (
            &["Enable-AccelNetVM", "a", "Low", "more"],
            "unexpected argument 'more'",
        ),
        (&["Enable-AccelNetVM", "", "Low"], "-VMName needs a value"),
        (
            &["Disable-AccelNetManagement", "now"],
            "unexpected argument 'now'",
        ),
        (
            &["Disable-AccelNetManagement", "-Confirm"],
            "there are no confirmation prompts",
        ),
        (
            &["Disable-AccelNetManagement", "-WhatIf:"],
            "a shell makes nothing of $true",
        ),
        (
            &["Disable-AccelNetManagement", "-WhatIf:maybe"],
            "is $true or $false, and not maybe",
        ),
        (
            &["Disable-AccelNetVM"],
            "-VMName is required, and there are no names on standard input",
        ),
        (
            &["Set-AccelNetManagement"],
            "give -IntentName or -NodeReservePercentage, or -VMName",
        ),
        (
            &["Set-AccelNetManagement", "-VMName", "a", "-IntentName", "x"],
            "give one or the other",
        ),
        (
            &["Set-AccelNetManagement", "-VMName", "a"],
            "-Performance is required with -VMName",
        ),
        (
            &["Set-AccelNetManagement", "-Performance", "Low"],
            "-VMName is required with",
        ),
    ] {
        let told = wrong(line);
        assert!(told.contains(words), "{line:?}: {told}");
        assert!(told.starts_with(line[0]), "{told}");
    }
}

#[test]
fn what_if_is_a_dry_run_and_verbose_is_noted() {
    match command(&["Disable-AccelNetManagement", "-WhatIf"]) {
        Command::Disable(args) => assert!(args.how.dry_run),
        other => panic!("{other:?}"),
    }
    match typed(&["Get-VM", "-Verbose"], TERMINAL) {
        Ok(Typed::Run(_, notes)) => assert_eq!(notes.len(), 1),
        other => panic!("{other:?}"),
    }
    for help in ["-?", "-Help", "-h"] {
        match typed(&["Enable-AccelNetVM", help], TERMINAL) {
            Ok(Typed::Help(text)) => assert!(text.contains("-Performance"), "{text}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn every_changing_cmdlet_does_a_dry_run() {
    for cmdlet in CMDLETS.iter().filter(|cmdlet| cmdlet.changes) {
        let mut words = vec!["-WhatIf".to_owned()];
        for parameter in cmdlet.parameters {
            let given = parameter.required || parameter.name == "IntentName";
            if given {
                words.extend([format!("-{}", parameter.name), "x".to_owned()]);
            }
        }
        let Ok(Typed::Run(args, _)) = read(cmdlet, &words, TERMINAL) else {
            panic!("{}", cmdlet.name);
        };
        let told = format!("{:?}", args.command);
        assert!(told.contains("dry_run: true"), "{}: {told}", cmdlet.name);
    }
}

#[test]
fn the_pipe_decides_where_names_come_from_and_how_they_are_listed() {
    let Ok(Typed::Run(args, _)) = typed(&["Disable-AccelNetVM"], PIPE) else {
        panic!("names come from the pipe");
    };
    let Command::Vm(VmCommand::Disable(args)) = args.command else {
        panic!("{args:?}");
    };
    assert_eq!(args.names, ["-"]);
    for (pipes, output) in [(TERMINAL, ListOutput::Table), (PIPE, ListOutput::Name)] {
        let Ok(Typed::Run(args, _)) = typed(&["Get-VM", "a*"], pipes) else {
            panic!("a list");
        };
        let Command::Vm(VmCommand::List(args)) = args.command else {
            panic!("{args:?}");
        };
        assert_eq!((args.output, args.name), (output, vec!["a*".to_owned()]));
    }
}

#[test]
fn a_cmdlet_is_called_by_its_file_name_in_any_case() {
    for name in ["Get-VM", "/opt/bin/Get-VM", "get-vm", "./GET-VM"] {
        assert_eq!(
            called(OsStr::new(name)).map(|cmdlet| cmdlet.name),
            Some("Get-VM")
        );
    }
    for name in ["accelnet", "", "/", "Get-VMs", "Get-"] {
        assert!(called(OsStr::new(name)).is_none(), "{name}");
    }
}

#[test]
fn the_table_is_sound() {
    for cmdlet in CMDLETS {
        let mut names: Vec<String> = cmdlet
            .all()
            .flat_map(|parameter| [Some(parameter.name), parameter.alias])
            .flatten()
            .map(str::to_lowercase)
            .collect();
        names.sort();
        let before = names.len();
        names.dedup();
        assert_eq!(names.len(), before, "{}: a name stands twice", cmdlet.name);
        let places: Vec<usize> = cmdlet
            .parameters
            .iter()
            .filter_map(|parameter| parameter.position)
            .collect();
        let from_zero: Vec<usize> = (0..places.len()).collect();
        assert_eq!(places, from_zero, "{}", cmdlet.name);
        for native in cmdlet.native.split(", ") {
            let mut there = &Args::command();
            for word in native
                .split(' ')
                .skip(1)
                .filter(|word| !word.starts_with('-'))
            {
                let below = there.find_subcommand(word);
                there = below.unwrap_or_else(|| panic!("{native}: no {word}"));
            }
            assert!(!there.has_subcommands(), "{native}");
        }
    }
    assert_eq!(CMDLETS.len(), 22);
}

proptest! {
    #[test]
    fn no_words_make_it_fall_over(
        at in 0..22_usize,
        words in proptest::collection::vec("-?[-,:$?a-zA-ZäÄ0-9 ]{0,8}|-VMName|-Perf", 0..5),
        input: bool,
    ) {
        drop(read(&CMDLETS[at], &words, Pipes { input, people: false }));
    }
}
