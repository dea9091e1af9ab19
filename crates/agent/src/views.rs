//! What is shown and reported: views of data, which read nothing.

pub mod destinations;
pub(crate) mod intents;
pub(crate) mod published;
pub(crate) mod report;
pub(crate) mod status;
pub(crate) mod vm;

pub(crate) use published::Published;
