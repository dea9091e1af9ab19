//! What `nft --json list ruleset` prints (`libnftables-json(5)`).

use accelnet_model::firewall::{Chain, Condition, Family, Names, Policy, Protocol, Rule, Verdict};
use serde_json::Value;

/// The chains of all families that filter what is forwarded.
///
/// # Errors
///
/// It is not what nft prints; as a sentence without its full stop.
pub fn chains(text: &str) -> Result<Vec<Chain>, String> {
    let odd = |reason: &str| format!("the output of nft could not be parsed: {reason}");
    let printed: Value = serde_json::from_str(text).map_err(|error| odd(&error.to_string()))?;
    let objects = printed["nftables"].as_array();
    let objects = objects.ok_or_else(|| odd("there is no list of objects"))?;
    let mut chains: Vec<Chain> = Vec::new();
    for object in objects {
        if let Some(chain) = object.get("chain") {
            chains.extend(self::chain(chain));
        }
        if let Some(rule) = object.get("rule") {
            let of = |chain: &&mut Chain| {
                Family::named(text_of(rule, "family")) == Some(chain.family)
                    && text_of(rule, "table") == chain.table
                    && text_of(rule, "chain") == chain.name
            };
            if let Some(chain) = chains.iter_mut().find(of) {
                let expressions = rule["expr"].as_array();
                chain
                    .rules
                    .extend(read(expressions.map_or(&[], Vec::as_slice)));
            }
        }
    }
    Ok(chains)
}

fn text_of<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn chain(value: &Value) -> Option<Chain> {
    let policy = match text_of(value, "policy") {
        "drop" => Policy::Drop,
        _ => Policy::Accept,
    };
    Some(Chain {
        family: Family::named(text_of(value, "family"))?,
        table: text_of(value, "table").to_owned(),
        name: text_of(value, "name").to_owned(),
        forward: (text_of(value, "hook") == "forward").then_some(policy),
        rules: Vec::new(),
    })
}

/// Reads one rule, which is several where it looks its verdict up.
fn read(expressions: &[Value]) -> Vec<Rule> {
    let mut conditions = Vec::new();
    let mut rules = Vec::new();
    for expression in expressions {
        let Some((kind, value)) = expression.as_object().and_then(|one| one.iter().next()) else {
            continue;
        };
        if let Some(verdict) = verdict(kind, value) {
            rules.push(Rule {
                conditions: conditions.clone(),
                verdict,
            });
            continue;
        }
        match kind.as_str() {
            "match" => conditions.push(condition(value)),
            "vmap" => rules.extend(looked_up(&conditions, value)),
            // These change or count packets, and let all of them go on.
            "counter" | "log" | "mangle" | "notrack" | "ct helper" | "meter" | "set"
            | "comment" | "map" => {}
            _ => conditions.push(Condition::Other),
        }
    }
    rules
}

fn verdict(kind: &str, value: &Value) -> Option<Verdict> {
    let target = || text_of(value, "target").to_owned();
    Some(match kind {
        "accept" => Verdict::Accept,
        "drop" | "reject" => Verdict::Drop,
        "return" => Verdict::Return,
        "continue" => Verdict::Next,
        "jump" => Verdict::Jump(target()),
        "goto" => Verdict::Goto(target()),
        "queue" => Verdict::Other,
        _ => return None,
    })
}

/// The rules that a verdict map stands for.
fn looked_up(conditions: &[Condition], map: &Value) -> Vec<Rule> {
    let rule = |condition: Condition, verdict: Verdict| {
        let mut conditions = conditions.to_vec();
        conditions.push(condition);
        Rule {
            conditions,
            verdict,
        }
    };
    let Some(elements) = map["data"]["set"].as_array() else {
        return vec![rule(Condition::Other, Verdict::Other)];
    };
    let rules = elements.iter().filter_map(|element| {
        let (key, value) = (element.get(0)?, element.get(1)?);
        let (kind, value) = value.as_object()?.iter().next()?;
        let equal = compared(&map["key"], "==", key);
        Some(rule(equal, verdict(kind, value).unwrap_or(Verdict::Other)))
    });
    rules.collect()
}

fn condition(value: &Value) -> Condition {
    compared(&value["left"], text_of(value, "op"), &value["right"])
}

fn compared(left: &Value, op: &str, right: &Value) -> Condition {
    let Some(any) = texts(right) else {
        return Condition::Other;
    };
    let not = op == "!=";
    let meta = left["meta"]["key"].as_str();
    let names = Names {
        any: any.clone(),
        not,
    };
    match meta {
        Some("iifname" | "iif") => Condition::In(names),
        Some("oifname" | "oif") => Condition::Out(names),
        Some("ibrname" | "obrname") => Condition::Bridge(names),
        Some("nfproto" | "protocol") => protocol(&any, not),
        Some("l4proto") => transport(&any, not),
        Some(_) => Condition::Other,
        None => {
            let ct = left["ct"]["key"].as_str();
            let payload = &left["payload"];
            match (text_of(payload, "protocol"), text_of(payload, "field")) {
                // Packets of a connection with such a status follow one that had none.
                _ if matches!(ct, Some("state" | "status")) && !not => Condition::State(any),
                ("ether", "type") => protocol(&any, not),
                ("ip", "protocol") | ("ip6", "nexthdr") => transport(&any, not),
                (icmp @ ("icmp" | "icmpv6"), _) => Condition::Transport(icmp.to_owned()),
                _ => Condition::Other,
            }
        }
    }
}

fn transport(any: &[String], not: bool) -> Condition {
    match any {
        [one] if !not => Condition::Transport(one.clone()),
        _ => Condition::Other,
    }
}

fn protocol(any: &[String], not: bool) -> Condition {
    match any {
        [one] if !not => match one.as_str() {
            "ip" | "ipv4" => Condition::Protocol(Protocol::Ip),
            "ip6" | "ipv6" => Condition::Protocol(Protocol::Ip6),
            "arp" => Condition::Protocol(Protocol::Arp),
            _ => Condition::Other,
        },
        _ => Condition::Other,
    }
}

/// One text, or a list or set of them; none where there is anything else among them, or a set by its name.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array().or_else(|| value["set"].as_array());
    match (value.as_str(), list) {
        (Some(set), _) if set.starts_with('@') => None,
        (Some(text), _) => Some(vec![text.to_owned()]),
        (None, Some(list)) => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
            texts.collect()
        }
        (None, None) => None,
    }
}
