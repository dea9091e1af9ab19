//! What must not be exceeded.

/// A figure with its limit.
#[derive(Debug, Clone)]
pub struct Limit {
    /// What was measured, and how.
    pub what: String,
    /// The figure.
    pub found: f64,
    /// The most that it may be.
    pub most: f64,
    /// What both are counted in, with what stands between.
    pub unit: &'static str,
}

impl Limit {
    /// Whether it is kept.
    pub fn is_kept(&self) -> bool {
        self.found <= self.most
    }
}
