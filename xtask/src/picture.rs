//! The README's picture: a terminal session of the program, as SVG.

use std::fs;
use std::path::Path;
use std::process::Command;

use anstyle_svg::Term;

use crate::demo::Demo;
use crate::error::Error;
use crate::run::output;

/// What is typed on the first node of the demonstration.
const LINES: &[&str] = &[
    "accelnet enable --intent MyIntent --node-reserve 50",
    "accelnet vm enable MyVM --performance high",
    "accelnet vm list",
    "accelnet capacity",
];

/// Runs a session on the demonstration, and writes its picture to `path`.
pub fn write(program: &Path, path: &Path) -> Result<(), Error> {
    let demo = Demo::serve(program)?;
    let mut session = String::new();
    for line in LINES {
        let mut command = Command::new(program);
        command
            .args(["--color", "always"])
            .args(line.split(' ').skip(1))
            .env("ACCELNET_SOCKET", demo.socket());
        session += &format!(
            "\x1b[32m#\x1b[0m \x1b[1m{line}\x1b[0m\n{}\n",
            output(&mut command)?
        );
    }
    let picture = Term::new().render_svg(session.trim_end());
    fs::write(path, picture).map_err(|source| Error::File {
        path: path.to_owned(),
        source,
    })
}
