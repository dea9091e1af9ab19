//! Profiles of people, and what they type to an agent elsewhere.

use std::path::Path;

use accelnet::args::Args;
use accelnet::session::Session;
use accelnet::target::Environment;
use accelnet_api::testing::{Authority, Certified};

use crate::support::{Booted, Nothing, Shown, node, not_parsed};

/// A CA, profiles, and the machine on which is typed.
pub struct Profiles {
    /// The CA that agents trust.
    pub ca: Authority,
    folder: tempfile::TempDir,
    node: Booted,
}

impl Profiles {
    /// No profile yet.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("accelnet")).expect("a folder");
        Profiles {
            ca: Authority::new("the CA"),
            folder,
            node: node(|igb| igb),
        }
    }

    /// What XDG_CONFIG_HOME is.
    pub fn home(&self) -> &Path {
        self.folder.path()
    }

    /// Writes profiles of `server`, each with its certificate.
    pub fn write(&self, server: &str, people: &[(&str, &Certified)]) {
        let folder = self.home().join("accelnet");
        self.ca.write(&folder.join("ca.pem")).expect("a file");
        let mut text = String::new();
        for (name, certified) in people {
            certified.write(&folder, name).expect("files");
            text.push_str(&format!(
                "[profiles.{name}]\nserver = \"{server}\"\nca = \"ca.pem\"\n\
                 cert = \"{name}.pem\"\nkey = \"{name}.key\"\n\n"
            ));
        }
        std::fs::write(folder.join("profiles.toml"), text).expect("a file");
    }

    /// The environment with nothing in it but this home.
    pub fn environment(&self) -> Environment {
        Environment {
            files: vec![self.home().join("accelnet/profiles.toml")],
            ..Environment::default()
        }
    }

    /// Types `command`: words between blanks.
    pub fn types(&self, command: &str) -> Shown {
        self.types_in(&self.environment(), command)
    }

    /// Types it in an environment.
    pub fn types_in(&self, environment: &Environment, command: &str) -> Shown {
        match Args::read(command.split(' ')) {
            Ok(args) => self.runs(environment, &args),
            Err(error) => not_parsed(&error, command),
        }
    }

    fn runs(&self, environment: &Environment, args: &Args) -> Shown {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let status = accelnet::start(
            args,
            environment,
            &mut Session {
                host: self.node.host.host(),
                system: &Nothing::new(),
                named: false,
                changed: false,
                agent: None,
                input: &mut &b""[..],
                out: &mut out,
                err: &mut err,
                colour: false,
                width: None,
                err_terminal: (false, None),
                progress: false,
            },
        );
        let home = self.home().to_str().expect("a path");
        let text = |bytes| {
            let text = String::from_utf8(bytes).expect("text");
            text.replace(home, "")
        };
        Shown {
            out: text(out),
            err: text(err),
            status,
        }
    }
}
