//! Schemas of the types whose JSON differs from their fields.
//!
//! `ComposeSchema` is where utoipa's derive looks for the schema of a field; it is hidden, and
//! there is no other way for a generic type that is not derived.

use std::borrow::Cow;

use utoipa::__dev::ComposeSchema;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ObjectBuilder, Schema, Type};

use crate::platform::Version;
use crate::{Code, IntentName, Mac, NodeName, Observed, PciAddress, Uuid, VmName};

/// Text of a certain form.
fn text(what: &str, pattern: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(what))
        .pattern(Some(pattern))
        .into()
}

impl ComposeSchema for Mac {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        text("A MAC address.", "^([0-9a-f]{2}:){5}[0-9a-f]{2}$")
    }
}

impl ToSchema for Mac {}

impl ComposeSchema for PciAddress {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        text(
            "A PCI address: domain, bus, device and function.",
            "^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]$",
        )
    }
}

impl ToSchema for PciAddress {}

impl ComposeSchema for NodeName {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A host name (RFC 1123)."))
            .max_length(Some(253))
            .pattern(Some(
                "^[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?(\\.[0-9A-Za-z]([0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*$",
            ))
            .into()
    }
}

impl ToSchema for NodeName {}

macro_rules! ids {
    ($($name:ident = $pattern:literal;)+) => {
        $(
            impl ComposeSchema for $name {
                fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                    text($name::WHAT, $pattern)
                }
            }

            impl ToSchema for $name {}
        )+
    };
}

ids! {
    Uuid = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$";
    IntentName = "^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$";
    VmName = "^[^/]{1,251}$";
}

impl ComposeSchema for Version {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        text("A version of a program.", "^[0-9]+\\.[0-9]+\\.[0-9]+$")
    }
}

impl ToSchema for Version {
    /// The API has a version of its own.
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("ProgramVersion")
    }
}

impl ComposeSchema for Code {
    fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "One thing that can be wrong (docs/errors.md). Codes are added over time.",
            ))
            .enum_values(Some(Code::ALL.iter().map(|code| code.id())))
            .into()
    }
}

impl ToSchema for Code {}

impl<T: ComposeSchema> ComposeSchema for Observed<T> {
    fn compose(inner: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let known = match inner.first() {
            Some(known) => known.clone(),
            None => T::compose(inner),
        };
        let unknown = ObjectBuilder::new()
            .description(Some("It could not be read."))
            .property("unknown", String::compose(Vec::new()))
            .required("unknown");
        AnyOfBuilder::new().item(known).item(unknown).into()
    }
}

impl<T: ToSchema + ComposeSchema> ToSchema for Observed<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("Observed_{}", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
