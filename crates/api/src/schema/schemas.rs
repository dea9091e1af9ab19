//! The schemas of types, gathered by name.

use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Types by name.
pub(crate) type Schemas = Vec<(String, RefOr<Schema>)>;

/// Adds a type and the types that it consists of.
pub(crate) fn with<T: ToSchema + PartialSchema>(all: &mut Schemas) {
    all.push((T::name().into_owned(), T::schema()));
    T::schemas(all);
}
