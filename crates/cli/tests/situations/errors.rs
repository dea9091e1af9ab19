//! Each kind of error.

use accelnet_api::testing::{Fake, Fixed};
use accelnet_model::{Code, Problem};

use crate::page::{Page, Terminal, agent};
use crate::{PIPE, W60, W80, W200, cluster};

const ENABLE: &str = "vm enable web01 --performance high";

/// Problems that only a real cluster, libvirt or kernel raises, as their code raises them.
fn raised() -> Vec<(&'static str, Terminal, &'static str, Problem)> {
    let raise = |code, names: &[&str], found: &str| Problem::new(code, names, found);
    vec![
        (
            "The node is cut off from the store",
            W80,
            "status",
            raise(
                Code::NodeCutOff,
                &[],
                "The store has not answered since 2026-11-22T09:58:00Z: deadline exceeded.",
            ),
        ),
        (
            "A node is down",
            W80,
            ENABLE,
            raise(
                Code::NodeDown,
                &["n2"],
                "No heartbeat since 2026-11-22T09:58:00Z; nothing was changed.",
            ),
        ),
        (
            "A request is not accepted in time",
            W60,
            ENABLE,
            raise(
                Code::RequestNotTaken,
                &["n2"],
                "n2 is up; its agent is busy.",
            ),
        ),
        (
            "A request is not answered in time",
            W80,
            ENABLE,
            raise(
                Code::RequestUnanswered,
                &["n2"],
                "n2 has sent no heartbeat since 2026-11-22T09:58:00Z: it is down or cut off from the store.",
            ),
        ),
        (
            "A name that two nodes have",
            W80,
            "vm disable web01",
            raise(Code::VmAmbiguous, &["web01"], "They are n1 and n2."),
        ),
        (
            "A VM that the cluster has no capacity for",
            W80,
            ENABLE,
            raise(
                Code::ClusterNotEnoughResources,
                &["web01"],
                "With n2 down, 1 of 8 VMs has no VF; the VFs bind.",
            )
            .needed("A VF with its queue pairs on one adapter for every accelerated VM, with any 1 of 2 nodes down (a reserve of 50 %).")
            .resolution("To admit it, lower the node reserve to 49 %, or add 1 VF on n1."),
        ),
        (
            "A VM whose definition does not allow a VF",
            W80,
            ENABLE,
            raise(
                Code::VmUnfit,
                &["web01"],
                "Its machine type pc has no PCI Express.",
            ),
        ),
        (
            "libvirt fails",
            W80.coloured(),
            ENABLE,
            raise(
                Code::LibvirtFailed,
                &["attach the VF to VM web01"],
                "libvirt's error.",
            )
            .cause("internal error: unable to execute QEMU command 'device_add': PCI: no slot/function available"),
        ),
        (
            "The disk is full",
            W80,
            ENABLE,
            raise(
                Code::StoreFailed,
                &[],
                "It failed to write: no space left on device.",
            ),
        ),
        (
            "A certificate that is not trusted",
            W200,
            "status",
            raise(
                Code::ServerUntrusted,
                &["node1:7443"],
                "It expired on 2026-11-01.",
            ),
        ),
        (
            "A request that the agent does not understand",
            W80,
            "status",
            raise(
                Code::BadRequest,
                &[],
                "Field node_reserve: unknown field `node_reserve`.",
            ),
        ),
        (
            "An intent that is in use",
            W80,
            "intent remove compute",
            raise(
                Code::IntentInUse,
                &["compute"],
                "Accelerated Networking is enabled on it, and 2 VMs are accelerated.",
            ),
        ),
    ]
}

pub fn of_requests(page: &mut Page) {
    page.heading("Errors of the agent");
    for (title, terminal, command, problem) in raised() {
        let failing = agent(cluster().failing(problem), Fixed::root());
        page.block(&failing, title, terminal, command);
    }
    let found = "The socket does not exist.";
    let gone = Problem::new(Code::AgentUnreachable, &["/run/accelnet/agent.sock"], found);
    let gone = agent(cluster().failing(gone), Fixed::root());
    page.block(&gone, "No agent runs", W80, "vm list");
    page.block(&gone, "The same in a narrow terminal", W60, "vm list");
    let mut gone = agent(Fake::default(), Fixed::root());
    gone.stop();
    page.block(&gone, "No agent has the socket of --socket", W80, "vm list");
    let reader = agent(cluster().enabled("compute"), Fixed::onlooker());
    page.block(
        &reader,
        "A user without permission",
        W80,
        "vm disable web01",
    );
    let enabled = agent(cluster().enabled("compute"), Fixed::root());
    for (title, terminal, command) in [
        ("One unknown VM", W80, "vm enable web1 --performance low"),
        (
            "The same in colour",
            W80.coloured(),
            "vm enable web1 --performance low",
        ),
        (
            "Several unknown VMs",
            W80,
            "vm enable web1 db1 mail --performance low",
        ),
        ("An unknown intent", W80, "intent show computer"),
        ("An unknown code", W80, "explain vm_unfound"),
    ] {
        page.block(&enabled, title, terminal, command);
    }
}

pub fn of_command_lines(page: &mut Page) {
    page.heading("Errors of the command line");
    let enabled = agent(cluster().enabled("compute"), Fixed::root());
    for (title, terminal, command) in [
        ("An invalid value", W80, "set --node-reserve 100"),
        (
            "An invalid performance setting",
            W80,
            "vm enable web01 --performance turbo",
        ),
        ("An unknown option", W60, "vm list --sort name"),
        ("A misspelt command", W80, "vm enabel web01"),
        ("A missing option", W80.coloured(), "vm enable web01"),
        ("A missing file", W80, "capacity --from no-such-file.json"),
        (
            "A store that is not one",
            W60,
            "cluster init --store http://etcd1:2379",
        ),
    ] {
        page.block(&enabled, title, terminal, command);
    }
}

pub fn for_scripts(page: &mut Page) {
    page.heading("Errors for scripts");
    let enabled = agent(cluster().enabled("compute"), Fixed::root());
    for (title, command) in [
        ("An unknown VM", "vm show web1 --output json"),
        ("An unknown code", "explain vm_unfound --output json"),
        (
            "One of two VMs is unknown",
            "vm enable web01 web1 --performance low --output json",
        ),
    ] {
        page.block(&enabled, title, PIPE, command);
    }
}
