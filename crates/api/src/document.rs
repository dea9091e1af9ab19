//! The OpenAPI document.

/// The OpenAPI document, as it is committed.
pub const OPENAPI: &str = include_str!("../../../docs/openapi.json");
