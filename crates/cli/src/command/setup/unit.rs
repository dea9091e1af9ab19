//! The agent's systemd unit.

use std::path::Path;

/// The unit, with the program where a package puts it.
const UNIT: &str = include_str!("../../../../../packaging/accelnet.service");
const PACKAGED: &str = "ExecStart=/usr/local/bin/accelnet ";

/// The unit that runs `program`.
pub fn text(program: &Path) -> String {
    let start = format!("ExecStart={} ", quoted(&program.to_string_lossy()));
    UNIT.replace(PACKAGED, &start)
}

/// The first word of a command line of a unit. systemd unquotes it and fills in specifiers (`%`), and no
/// variables. It takes no path with a quote or a backslash.
fn quoted(path: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    if path.chars().all(plain) {
        return path.to_owned();
    }
    format!("\"{}\"", path.replace('%', "%%"))
}

#[cfg(test)]
mod tests;
