//! The way of a VM's new TCP connections through the chains of a firewall, for all packets at once: what
//! depends on the packet is followed as something that may be.

use accelnet_model::firewall::{Chain, Condition, Family, Names, Policy, Protocol, Rule, Verdict};

/// How deep chains jump: as deep as the kernel lets them (`NFT_JUMP_STACK_SIZE`).
const DEEPEST: u32 = 16;

/// What becomes of the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// They pass, but for those that a rule names.
    Passes,
    /// All are dropped.
    Dropped,
    /// They are dropped unless a rule accepts them that may apply.
    Unclear,
}

/// Whether something applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Applies {
    No,
    Maybe,
    Yes,
}

/// How a chain is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Accepted,
    Dropped,
    Through,
}

/// One way through the chains.
pub(super) struct Walk<'a> {
    chains: &'a [Chain],
    frames: Frames<'a>,
    /// Whether links are the bridge's ports, not the bridge itself.
    by_port: bool,
    /// Some packets may have been accepted, or their fate is not known.
    may_pass: bool,
    /// What a rule did not let off was dropped.
    rest_dropped: bool,
}

impl<'a> Walk<'a> {
    pub fn new(chains: &'a [Chain], frames: Frames<'a>) -> Self {
        Walk {
            chains,
            frames,
            by_port: false,
            may_pass: false,
            rest_dropped: false,
        }
    }

    /// Goes through a chain with this policy.
    pub fn end(mut self, chain: &Chain, policy: Policy) -> End {
        self.by_port = matches!(chain.family, Family::Bridge | Family::Arp);
        let left = self.through(chain, Applies::Yes, 0);
        let dropped = left == Left::Dropped || (left == Left::Through && policy == Policy::Drop);
        match (dropped, self.may_pass) {
            (true, false) => End::Dropped,
            (true, true) => End::Unclear,
            (false, _) if self.rest_dropped => End::Unclear,
            (false, _) => End::Passes,
        }
    }

    /// Goes through the rules of a chain, into which all packets come, or some may.
    fn through(&mut self, chain: &Chain, all: Applies, depth: u32) -> Left {
        let mut here = all;
        if depth > DEEPEST {
            self.may_pass = true;
            return Left::Through;
        }
        for rule in &chain.rules {
            let own = self.applies(rule);
            let applies = here.min(own);
            if applies == Applies::No {
                continue;
            }
            let certain = applies == Applies::Yes;
            match &rule.verdict {
                Verdict::Next => {}
                Verdict::Accept if certain => return Left::Accepted,
                Verdict::Drop if certain => return Left::Dropped,
                Verdict::Accept | Verdict::Other => self.may_pass = true,
                Verdict::Drop => self.rest_dropped |= (all, own) == (Applies::Yes, Applies::Yes),
                Verdict::Return if certain => return Left::Through,
                // Those that go on here may be fewer.
                Verdict::Return => here = Applies::Maybe,
                Verdict::Jump(name) | Verdict::Goto(name) => {
                    let Some(next) = self.named(chain, name) else {
                        continue;
                    };
                    let left = self.through(next, applies, depth + 1);
                    if certain && left != Left::Through {
                        return left;
                    }
                    match (&rule.verdict, certain) {
                        (Verdict::Goto(_), true) => return Left::Through,
                        (Verdict::Goto(_), false) => here = Applies::Maybe,
                        _ => {}
                    }
                }
            }
        }
        Left::Through
    }

    fn named(&self, beside: &Chain, name: &str) -> Option<&'a Chain> {
        let mut chains = self.chains.iter();
        chains.find(|chain| {
            chain.family == beside.family && chain.table == beside.table && chain.name == name
        })
    }

    fn applies(&self, rule: &Rule) -> Applies {
        let each = rule.conditions.iter().map(|one| self.holds(one));
        each.min().unwrap_or(Applies::Yes)
    }

    fn holds(&self, condition: &Condition) -> Applies {
        match condition {
            Condition::In(names) | Condition::Out(names) => self.is_one_of(names),
            Condition::Bridge(names) => self.is_the_bridge(names),
            Condition::Bridged => Applies::Yes,
            Condition::Protocol(protocol) => match *protocol == self.frames.protocol {
                true => Applies::Yes,
                false => Applies::No,
            },
            // A connection begins with a packet in the state new.
            Condition::State(states) => match states.iter().any(|state| state == "new") {
                true if self.frames.protocol != Protocol::Arp => Applies::Yes,
                _ => Applies::No,
            },
            Condition::Transport(name) => match matches!(name.as_str(), "tcp" | "6") {
                true if self.frames.protocol != Protocol::Arp => Applies::Yes,
                _ => Applies::No,
            },
            Condition::Other => Applies::Maybe,
        }
    }

    /// Chains of IP see the bridge as the link in and out; those of bridges and of ARP see its ports.
    fn is_one_of(&self, names: &Names) -> Applies {
        let Frames {
            bridge,
            ports,
            links,
            ..
        } = self.frames;
        let is_link = |pattern: &str| links.iter().any(|link| fits(pattern, link));
        let is = |pattern: &str| match (self.by_port, bridge) {
            (false, Some(bridge)) if fits(pattern, bridge) => Applies::Yes,
            (false, Some(_)) => Applies::No,
            (true, _) if ports.iter().any(|port| fits(pattern, port)) => Applies::Maybe,
            // A bridge or a port that is to be has a name that no link has.
            _ if is_link(pattern) && !pattern.ends_with('*') => Applies::No,
            _ => Applies::Maybe,
        };
        negated(names, names.any.iter().map(|name| is(name)).max())
    }

    fn is_the_bridge(&self, names: &Names) -> Applies {
        let is = |pattern: &str| match self.frames.bridge {
            Some(bridge) if fits(pattern, bridge) => Applies::Yes,
            Some(_) => Applies::No,
            None => Applies::Maybe,
        };
        negated(names, names.any.iter().map(|name| is(name)).max())
    }
}

fn negated(names: &Names, is: Option<Applies>) -> Applies {
    match (is.unwrap_or(Applies::No), names.not) {
        (Applies::Yes, true) => Applies::No,
        (Applies::No, true) => Applies::Yes,
        (is, _) => is,
    }
}

/// Whether a name is meant by a pattern, in which `*` at the end stands for any rest.
fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(begin) => name.starts_with(begin),
        None => pattern == name,
    }
}

/// Whose frames are judged.
#[derive(Clone, Copy)]
pub(super) struct Frames<'a> {
    /// The bridge; none for one that is not there yet, and has a name that is not known.
    pub(super) bridge: Option<&'a str>,
    pub(super) ports: &'a [String],
    pub(super) links: &'a [String],
    pub(super) protocol: Protocol,
}
