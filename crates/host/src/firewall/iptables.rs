//! What `iptables-save` and `ip6tables-save` print (`iptables(8)`, `iptables-extensions(8)`).

use accelnet_model::firewall::{Chain, Condition, Family, Names, Policy, Rule, Verdict};

/// The table that decides on what is forwarded.
const TABLE: &str = "filter";
/// Its chain for that.
const FORWARD: &str = "FORWARD";

/// The chains of the table `filter`.
pub fn chains(text: &str, family: Family) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut table = "";
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('*') {
            table = name;
        }
        if table != TABLE {
            continue;
        }
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split(' ');
            let name = words.next().unwrap_or_default().to_owned();
            let policy = match words.next() {
                Some("DROP") => Policy::Drop,
                _ => Policy::Accept,
            };
            chains.push(Chain {
                family,
                table: TABLE.to_owned(),
                forward: (name == FORWARD).then_some(policy),
                name,
                rules: Vec::new(),
            });
        }
        if let Some(rule) = line.strip_prefix("-A ") {
            let (name, rule) = rule.split_once(' ').unwrap_or((rule, ""));
            if let Some(chain) = chains.iter_mut().find(|chain| chain.name == name) {
                chain.rules.push(read(rule));
            }
        }
    }
    chains
}

/// Reads `-i br0 ! -o br0 -m conntrack --ctstate NEW -j ACCEPT`.
fn read(rule: &str) -> Rule {
    let words = words(rule);
    let mut words = words.iter().map(String::as_str);
    let mut conditions = Vec::new();
    let mut verdict = Verdict::Next;
    let mut not = false;
    while let Some(word) = words.next() {
        let was_not = std::mem::replace(&mut not, word == "!");
        if word == "!" {
            continue;
        }
        let mut names = || Names {
            any: vec![words.next().unwrap_or_default().replace('+', "*")],
            not: was_not,
        };
        match word {
            "-i" => conditions.push(Condition::In(names())),
            "-o" => conditions.push(Condition::Out(names())),
            "-p" if !was_not => {
                let name = words.next().unwrap_or_default();
                conditions.push(Condition::Transport(name.to_owned()));
            }
            "--ctstate" | "--state" => {
                let states = words.next().unwrap_or_default();
                let states = states.split(',').map(str::to_lowercase).collect();
                conditions.push(match was_not {
                    true => Condition::Other,
                    false => Condition::State(states),
                });
            }
            "--physdev-is-bridged" if !was_not => conditions.push(Condition::Bridged),
            "-m" | "--comment" => {
                let _ = words.next();
            }
            "-j" | "-g" => {
                let target = words.next().unwrap_or_default().to_owned();
                verdict = match (word, target.as_str()) {
                    ("-g", _) => Verdict::Goto(target),
                    (_, "ACCEPT") => Verdict::Accept,
                    (_, "DROP" | "REJECT") => Verdict::Drop,
                    (_, "RETURN") => Verdict::Return,
                    (_, "QUEUE" | "NFQUEUE") => Verdict::Other,
                    // A target that is no chain is passed over by the process that follows the jump.
                    _ => Verdict::Jump(target),
                };
                // What follows are the target's own options.
                break;
            }
            _ => conditions.push(Condition::Other),
        }
    }
    Rule {
        conditions,
        verdict,
    }
}

/// Words, of which one in quotes may have blanks.
fn words(rule: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for letter in rule.chars() {
        let word = words.last_mut();
        match letter {
            _ if escaped => {
                escaped = false;
                word.into_iter().for_each(|word| word.push(letter));
            }
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => word.into_iter().for_each(|word| word.push(letter)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
