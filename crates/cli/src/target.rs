//! Which agent is asked: by what was typed, by the environment, or the one of this machine.

use std::path::PathBuf;

use accelnet_api::Client;
use accelnet_api::client::{Remote, SOCKET};
use accelnet_model::Problem;

use crate::args::{Args, Command};
use crate::profile::{self, invalid};

/// The profile whose certificates are shown to a server that is given without a profile.
const DEFAULT: &str = "default";

/// Values of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// `ACCELNET_SOCKET`.
    pub socket: Option<PathBuf>,
    /// `ACCELNET_SERVER`.
    pub server: Option<String>,
    /// `ACCELNET_PROFILE`.
    pub profile: Option<String>,
    /// Where profiles may stand, the user's own first.
    pub files: Vec<PathBuf>,
}

/// The agent that is meant. What is typed goes before the environment.
///
/// # Errors
///
/// `server_settings_invalid`, `certificate_unusable`.
pub fn client(args: &Args, environment: &Environment) -> Result<Client, Problem> {
    if let Some(socket) = &args.socket {
        return Ok(Client::new(socket));
    }
    if args.server.is_some() || args.profile.is_some() {
        return remote(args.server.as_deref(), args.profile.as_deref(), environment);
    }
    let Environment {
        socket,
        server,
        profile,
        ..
    } = environment;
    match (socket, server.is_some() || profile.is_some()) {
        (Some(_), true) => Err(invalid(
            "Both ACCELNET_SOCKET and ACCELNET_SERVER or ACCELNET_PROFILE are set.".to_owned(),
        )
        .needed("One of them.")
        .resolution("Unset one of them, or use --socket, --server or --profile.")),
        (Some(socket), false) => Ok(Client::new(socket)),
        (None, true) => remote(server.as_deref(), profile.as_deref(), environment),
        (None, false) => Ok(Client::new(SOCKET)),
    }
}

/// A server's agent, with the certificates of a profile.
fn remote(
    server: Option<&str>,
    name: Option<&str>,
    environment: &Environment,
) -> Result<Client, Problem> {
    // A profile of the environment goes with a server that is typed.
    let name = name.or(environment.profile.as_deref()).unwrap_or(DEFAULT);
    let profile = profile::find(name, &environment.files)?;
    let Some(server) = server.or(profile.server.as_deref()) else {
        return Err(invalid(format!(
            "Profile {name} has no server, and --server is not given."
        ))
        .resolution("Add --server HOST:PORT, or 'server' to the profile."));
    };
    Remote::new(server, &profile.credentials()).map(Client::remote)
}

/// Whether an option or the environment names the agent.
pub fn is_named(args: &Args, environment: &Environment) -> bool {
    let typed = args.socket.is_some() || args.server.is_some() || args.profile.is_some();
    typed
        || environment.socket.is_some()
        || environment.server.is_some()
        || environment.profile.is_some()
}

/// An option that names a node or an agent and has no meaning for a command, and why.
pub fn misplaced(args: &Args) -> Option<(&'static str, &'static str)> {
    let why = match &args.command {
        command if command.is_local() => "The command affects this machine only.",
        Command::Capacity(capacity) if capacity.from.is_some() => {
            "'capacity --from' reads a file and asks no agent."
        }
        _ => return None,
    };
    let all = [
        (args.server.is_some(), "--server"),
        (args.profile.is_some(), "--profile"),
        (args.socket.is_some(), "--socket"),
        (args.root.is_some(), "--root"),
    ];
    let mut typed = all.into_iter().filter(|(typed, _)| *typed);
    typed.next().map(|(_, option)| (option, why))
}
