//! The `accelnet` program: reads its surroundings once, and hands them on.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use accelnet::args::{Args, ColorChoice};
use accelnet::cmdlet::{self, Pipes, Typed};
use accelnet::output::{self, Checked};
use accelnet::session::Session;
use accelnet::system::ThisMachine;
use accelnet::target::Environment;
use accelnet::wrong;
use accelnet_host::hook;
use accelnet_host::hypervisor::NoHypervisor;
use accelnet_host::knobs::NoKnobs;
use accelnet_host::switch::guard;
use accelnet_host::{
    CopiedLinks, CopiedRulesets, Host, KernelLinks, LocalHypervisor, SystemClock, SystemKnobs,
    SystemRulesets,
};
use accelnet_model::outside;
use accelnet_pci::Root;
use rustix::fs::FileType;

fn main() -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    match words.next() {
        Some(word) if word == guard::CHILD => std::process::exit(guard::run_child(words)),
        Some(word) if word == hook::CALLED => {
            std::process::exit(hook::run(words, io::stdin().lock()))
        }
        _ => {}
    }
    let system_knobs = SystemKnobs::default();
    let terminal = io::stdout().is_terminal();
    let args = match cmdlet_args(terminal) {
        Some(Ok(args)) => args,
        Some(Err(status)) => return status,
        None => match Args::read(std::env::args_os().collect::<Vec<_>>()) {
            Ok(args) => args,
            Err(error) => return ends_with(&error),
        },
    };
    let root = match &args.root {
        Some(folder) => Root::new(folder),
        None => Root::system(),
    };
    let copied = CopiedLinks::new(root.clone());
    let copied_rulesets = CopiedRulesets::new(root.clone());
    let host = match args.root {
        Some(_) => Host {
            root: &root,
            links: &copied,
            knobs: &NoKnobs,
            hypervisor: &NoHypervisor,
            rulesets: &copied_rulesets,
            clock: &SystemClock,
        },
        None => Host {
            root: &root,
            links: &KernelLinks,
            knobs: &system_knobs,
            hypervisor: &LocalHypervisor,
            rulesets: &SystemRulesets,
            clock: &SystemClock,
        },
    };
    let mut out = Checked::new(io::BufWriter::new(io::stdout()));
    let mut err = Checked::new(io::stderr());
    let system = ThisMachine::new(sudo_user());
    let mut session = Session {
        host,
        system: &system,
        named: false,
        changed: false,
        agent: None,
        input: &mut io::stdin(),
        out: &mut out,
        err: &mut err,
        colour: coloured(args.color, terminal),
        width: terminal_width(io::stdout()),
        err_terminal: (
            coloured(args.color, io::stderr().is_terminal()),
            terminal_width(io::stderr()),
        ),
        progress: io::stderr().is_terminal(),
    };
    let status = accelnet::start(&args, &environment(), &mut session);
    let status = output::ended(status, out.finish(), &mut err);
    ExitCode::from(match (status, err.finish()) {
        (0, Err(_)) => output::NOT_WRITTEN,
        (status, _) => status,
    })
}

/// Shows help, or why a command line makes no sense.
fn ends_with(error: &clap::Error) -> ExitCode {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let words: Vec<String> = words.collect();
    let colour = coloured(wrong::choice(&words), io::stderr().is_terminal());
    let written = match wrong::text(error, &words, colour) {
        Some(text) => {
            let text = accelnet::folded(&text, terminal_width(io::stderr()));
            io::stderr().write_all(text.as_bytes())
        }
        // In colour, where there is any.
        None => error.print(),
    };
    let status = u8::try_from(error.exit_code()).unwrap_or(2);
    ends_after(status, written)
}

/// The status of a program that has written its only text.
fn ends_after(status: u8, written: io::Result<()>) -> ExitCode {
    let flushed = written.and_then(|()| io::stdout().flush());
    let lost = match flushed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    };
    ExitCode::from(output::ended(status, lost, &mut io::stderr()))
}

/// What was typed, when the program was called by one of the document's names; an exit status
/// when it is not to go on.
fn cmdlet_args(people: bool) -> Option<Result<Args, ExitCode>> {
    let mut words = std::env::args_os();
    let cmdlet = cmdlet::called(&words.next()?)?;
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    let pipes = Pipes {
        input: input_is_given(),
        people,
    };
    Some(match cmdlet::read(cmdlet, &words, pipes) {
        Ok(Typed::Run(args, notes)) => {
            for note in notes {
                drop(writeln!(io::stderr(), "{}", outside::escaped(&note)));
            }
            Ok(*args)
        }
        Ok(Typed::Help(text)) => {
            let written = io::stdout().write_all(text.as_bytes());
            Err(ends_after(0, written))
        }
        Err(wrong) => {
            drop(write!(io::stderr(), "{}", outside::escaped_lines(&wrong.0)));
            Err(ExitCode::from(2))
        }
    })
}

/// Whether standard input is a pipe or a file, and not a terminal or /dev/null.
fn input_is_given() -> bool {
    rustix::fs::fstat(io::stdin()).is_ok_and(|stat| {
        let kind = FileType::from_raw_mode(stat.st_mode);
        matches!(
            kind,
            FileType::Fifo | FileType::RegularFile | FileType::Socket
        )
    })
}

/// The agent that the environment selects.
#[expect(
    clippy::disallowed_methods,
    reason = "main is where the environment is read"
)]
fn environment() -> Environment {
    let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let text = |name: &str| said(name).map(|value| value.to_string_lossy().into_owned());
    let own = match said("XDG_CONFIG_HOME") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => said("HOME").map(|home| PathBuf::from(home).join(".config")),
    };
    let mut folders: Vec<PathBuf> = own.into_iter().collect();
    folders.push(PathBuf::from("/etc"));
    Environment {
        socket: said("ACCELNET_SOCKET").map(PathBuf::from),
        server: text("ACCELNET_SERVER"),
        profile: text("ACCELNET_PROFILE"),
        files: folders
            .into_iter()
            .map(|folder| folder.join("accelnet/profiles.toml"))
            .collect(),
    }
}

/// Who called sudo, as sudo reports.
#[expect(
    clippy::disallowed_methods,
    reason = "main is where the environment is read"
)]
fn sudo_user() -> Option<std::ffi::OsString> {
    std::env::var_os("SUDO_USER").filter(|user| !user.is_empty())
}

/// Whether to colour what goes to a `terminal`, or elsewhere.
#[expect(
    clippy::disallowed_methods,
    reason = "main is where the environment is read"
)]
fn coloured(choice: ColorChoice, terminal: bool) -> bool {
    let (no_color, term) = (std::env::var_os("NO_COLOR"), std::env::var_os("TERM"));
    output::coloured(choice, terminal, no_color.as_deref(), term.as_deref())
}

/// Columns of the terminal that `stream` goes to; none when it is no terminal.
fn terminal_width(stream: impl std::os::fd::AsFd) -> Option<u16> {
    let size = rustix::termios::tcgetwinsize(stream).ok()?;
    (size.ws_col > 0).then_some(size.ws_col)
}
