//! Figures that stand alone, most of them with what must not be exceeded.

/// A figure, and its limit.
#[derive(Debug, Clone)]
pub struct Limit {
    /// What was measured, and how.
    pub what: String,
    /// The figure.
    pub found: f64,
    /// The most that it may be; none where nothing was promised.
    pub most: Option<f64>,
    /// What both are counted in, with what stands between.
    pub unit: &'static str,
}

impl Limit {
    /// Whether it is kept; none where there is nothing to keep.
    pub fn is_kept(&self) -> Option<bool> {
        self.most.map(|most| self.found <= most)
    }
}
