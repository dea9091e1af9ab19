//! How much history is kept.

/// How much of the past is kept for watches that resume. What goes beyond either bound is
/// forgotten; the last change always stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct History {
    /// Most revisions.
    pub revisions: u64,
    /// Most bytes of keys and values.
    pub bytes: u64,
}

impl Default for History {
    fn default() -> Self {
        Self {
            revisions: 1000,
            bytes: 16 * 1024 * 1024,
        }
    }
}
