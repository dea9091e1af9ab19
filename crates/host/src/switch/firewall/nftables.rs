//! nftables, by `nft -j list ruleset` (`libnftables-json(5)`).

use accelnet_model::switch::Mention;
use accelnet_pci::Root;
use serde_json::Value;

use super::program;

/// Keys whose text is no name of a link.
const OTHER: &[&str] = &[
    "comment", "prefix", "table", "chain", "name", "target", "key", "family", "op", "protocol",
    "field",
];

/// Where nftables names `link`. What firewalld made of its zones is left out where a zone was
/// named already.
pub fn mentions(root: &Root, link: &str, by_zone: bool) -> Vec<Mention> {
    let Some(nft) = program::find(root, "nft") else {
        return Vec::new();
    };
    let unread = |reason: String| Mention::Unread {
        what: "nft list ruleset".to_owned(),
        reason,
    };
    match program::answer(&nft, &["-j", "list", "ruleset"]) {
        Ok(text) => match serde_json::from_str(&text) {
            Ok(ruleset) => places(&ruleset, link, by_zone),
            Err(error) => vec![unread(error.to_string())],
        },
        Err(reason) => vec![unread(reason)],
    }
}

/// The places of a ruleset that name `link`.
pub fn places(ruleset: &Value, link: &str, by_zone: bool) -> Vec<Mention> {
    let objects = ruleset["nftables"].as_array().into_iter().flatten();
    let mut places = Vec::new();
    for object in objects.filter_map(Value::as_object).flatten() {
        let (kind, it) = object;
        let text = |key: &str| it[key].as_str().unwrap_or_default();
        let table = match kind.as_str() {
            "table" => text("name"),
            _ => text("table"),
        };
        if by_zone && table == "firewalld" {
            continue;
        }
        let of = format!("table {} {table}", text("family"));
        places.extend(match kind.as_str() {
            "rule" if named(&it["expr"], link) => {
                let handle = it["handle"].as_u64().unwrap_or_default();
                Some(format!("rule {handle} of chain {} of {of}", text("chain")))
            }
            "set" | "map" if named(&it["elem"], link) || named(&it["map"], link) => {
                Some(format!("{kind} {} of {of}", text("name")))
            }
            "chain" if named(&it["dev"], link) => {
                Some(format!("device of chain {} of {of}", text("name")))
            }
            "flowtable" if named(&it["dev"], link) => {
                Some(format!("flowtable {} of {of}", text("name")))
            }
            _ => None,
        });
    }
    let places = places.into_iter();
    places.map(|place| Mention::Nftables { place }).collect()
}

/// Whether a value of the ruleset names `link`, itself or by its beginning, as in `eth*`.
fn named(value: &Value, link: &str) -> bool {
    match value {
        Value::String(text) => match text.strip_suffix('*') {
            Some(beginning) => link.starts_with(beginning) && !beginning.is_empty(),
            None => text == link,
        },
        Value::Array(all) => all.iter().any(|one| named(one, link)),
        Value::Object(all) => {
            let mut all = all.iter().filter(|(key, _)| !OTHER.contains(&key.as_str()));
            all.any(|(_, one)| named(one, link))
        }
        _ => false,
    }
}
