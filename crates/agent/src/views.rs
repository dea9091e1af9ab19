//! What readers are shown.

mod report;
