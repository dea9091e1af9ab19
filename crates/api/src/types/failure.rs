//! What is answered when something went wrong, and who answers.

use accelnet_model::Problem;
use serde::{Deserialize, Serialize};

/// An error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Failure {
    /// The error.
    pub error: Problem,
    /// Exit status of a command that fails with this error.
    pub exit_status: u8,
}

impl From<Problem> for Failure {
    fn from(error: Problem) -> Self {
        Failure {
            exit_status: error.exit_status(),
            error,
        }
    }
}

/// The version of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Version {
    /// Version of the agent.
    pub version: String,
    /// Versions of the API that it supports.
    pub api: Vec<String>,
}
