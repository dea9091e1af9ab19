//! What a cmdlet is connected to.

/// What is connected to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pipes {
    /// Standard input is a pipe or a file: names may come from there.
    pub input: bool,
    /// Standard output is a terminal: people read it.
    pub people: bool,
}
