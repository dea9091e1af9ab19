//! The words that a cmdlet was given, by parameter.

/// What was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given {
    /// Values by the parameter's name; switches have none, and are there or not.
    pub(super) values: Vec<(&'static str, Vec<String>)>,
    /// `-?`.
    pub help: bool,
    /// `-WhatIf`.
    pub what_if: bool,
    /// What is to be said on standard error.
    pub notes: Vec<String>,
}

impl Given {
    /// The word of `name`.
    pub fn text(&self, name: &str) -> Option<String> {
        self.values(name).and_then(|values| values.first().cloned())
    }

    /// The words of `name`, none of them when it was not given.
    pub fn list(&self, name: &str) -> Vec<String> {
        self.values(name).cloned().unwrap_or_default()
    }

    /// Whether `name` was given.
    pub fn has(&self, name: &str) -> bool {
        self.values(name).is_some()
    }

    pub(super) fn values(&self, name: &str) -> Option<&Vec<String>> {
        let (_, values) = self.values.iter().find(|(there, _)| *there == name)?;
        Some(values)
    }
}
