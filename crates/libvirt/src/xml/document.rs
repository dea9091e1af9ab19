//! Parsing XML, and finding elements of it.

use roxmltree::{Document, Node, ParsingOptions};

/// More elements, texts and comments than any domain has: text from elsewhere cannot take
/// the node's memory.
const MOST_NODES: u32 = 65_536;

/// Why a definition cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is no XML, or too large.
    #[error("its definition is not XML as libvirt writes it: {0}")]
    NotXml(String),
    /// It is the XML of something else.
    #[error("its definition is a <{0}>, not a <domain>")]
    NotADomain(String),
    /// A part that has to be there is missing.
    #[error("{0} is missing in its definition")]
    Missing(&'static str),
    /// A value is not what the format has.
    #[error("{what} is {found:?} in its definition")]
    BadValue {
        /// Which value.
        what: &'static str,
        /// What stands there.
        found: String,
    },
}

/// Parses a text, within the limits.
pub(super) fn parse(xml: &str) -> Result<Document<'_>, XmlError> {
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: MOST_NODES,
        ..ParsingOptions::default()
    };
    Document::parse_with_options(xml, options).map_err(|error| XmlError::NotXml(error.to_string()))
}

/// The children of `node` named `name`, in no namespace.
pub(super) fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children()
        .filter(move |child| child.has_tag_name(name))
}

/// The first child of `node` named `name`.
pub(super) fn child<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> Option<Node<'a, 'input>> {
    children(node, name).next()
}

/// Attribute `attribute` of the first child named `name`.
pub(super) fn of_child<'a>(
    node: Node<'a, '_>,
    name: &'static str,
    attribute: &str,
) -> Option<&'a str> {
    child(node, name)?.attribute(attribute)
}
