//! Why a developer's command did not succeed.

use std::io;
use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

/// Why not, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program could not be started.
    #[error("{program} could not be started: {source}")]
    NotStarted {
        /// The program.
        program: String,
        /// The system's words.
        source: io::Error,
    },
    /// A program failed; it has given the reason.
    #[error("{command}: {status}")]
    Failed {
        /// What was run.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// The test runner failed, with its own message.
    #[error("tests failed: {status}")]
    Tests {
        /// How the runner ended.
        status: ExitStatus,
    },
    /// Checks failed; each has given the reason.
    #[error("failed: {}", .0.join(", "))]
    Checks(Vec<&'static str>),
    /// Fuzz targets found something, or could not be run.
    #[error(
        "failed: {}; the inputs are in fuzz/artifacts/TARGET. Run one again with:\n\
         PATH=$PATH:target/tools/bin RUSTC_BOOTSTRAP=1 cargo fuzz run TARGET INPUT",
        .0.join(", ")
    )]
    Fuzzed(Vec<&'static str>),
    /// Generated files are not what the program generates.
    #[error("stale: {}\nrefresh with: cargo xtask generate", .0.join(", "))]
    Stale(Vec<String>),
    /// A file could not be read or written.
    #[error("{}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// The demonstration ended before it was ready; it has given the reason.
    #[error("'accelnet demo --serve' named no socket")]
    Demo,
    /// etcd could not be laid below `target/tools`.
    #[error("lay etcd below target/tools: {0}")]
    Etcd(io::Error),
    /// Programs are missing, and this user cannot install packages.
    #[error(
        "these are missing: {missing}; install them: sudo apt-get install --no-install-recommends {packages}"
    )]
    Packages {
        /// Each missing file and what it is for.
        missing: String,
        /// Debian packages that have them.
        packages: String,
    },
    /// A benchmark saw something else than it is to time.
    #[error("nothing to compare: {0}")]
    Bench(String),
    /// The lab's own error.
    #[error(transparent)]
    Lab(#[from] accelnet_lab::Error),
}

impl Error {
    /// A runner's exit status is passed on; everything else is 1.
    pub fn exit_code(&self) -> ExitCode {
        let code = match self {
            Error::Tests { status } | Error::Failed { status, .. } => status.code(),
            _ => None,
        };
        code.and_then(|code| u8::try_from(code).ok())
            .filter(|&code| code != 0)
            .map_or(ExitCode::FAILURE, ExitCode::from)
    }
}
