//! What was given, as a native command.

use accelnet_model::management::DEFAULT_NODE_RESERVE;

use super::Pipes;
use super::given::Given;
use crate::args::*;

type Built = Result<Command, String>;

/// How a change is told.
fn change_options(given: &Given) -> ChangeOptions {
    ChangeOptions {
        dry_run: given.what_if,
        output: Output::Table,
    }
}

fn show_of() -> ShowOf {
    ShowOf {
        node: None,
        output: Output::Table,
    }
}

fn roles(given: &Given) -> Roles {
    Roles {
        compute: given.has("Compute"),
        management: given.has("Management"),
        storage: given.has("Storage"),
    }
}

pub fn prereq(given: &Given, _: Pipes) -> Built {
    Ok(Command::Prereq(Prereq {
        intent: given.text("IntentName"),
        adapter: Vec::new(),
        node: None,
        output: Output::Table,
    }))
}

pub fn enable(given: &Given, _: Pipes) -> Built {
    Ok(Command::Enable(Enable {
        intent: given.text("IntentName").unwrap_or_default(),
        // The document's line takes 50 % when it is absent or blank, whatever was set before.
        node_reserve: given
            .text("NodeReservePercentage")
            .filter(|text| !text.trim().is_empty())
            .or_else(|| Some(DEFAULT_NODE_RESERVE.to_string())),
        performance_settings: None,
        wait: Wait::default(),
        how: change_options(given),
    }))
}

/// The document changes VMs with it, too.
pub fn set(given: &Given, pipes: Pipes) -> Built {
    let of_vms = given.has("VMName") || given.has("Performance") || given.has("Now");
    let of_cluster = given.has("IntentName") || given.has("NodeReservePercentage");
    match (of_vms, of_cluster) {
        (true, true) => Err(
            "-VMName and -Performance change VMs, -IntentName and -NodeReservePercentage change \
             the cluster; give one or the other"
                .to_owned(),
        ),
        (false, false) => Err(
            "give -IntentName or -NodeReservePercentage, or -VMName with -Performance".to_owned(),
        ),
        (false, true) => Ok(Command::Set(Set {
            intent: given.text("IntentName"),
            node_reserve: given.text("NodeReservePercentage"),
            performance_settings: None,
            wait: Wait::default(),
            how: change_options(given),
        })),
        (true, false) => {
            if !given.has("Performance") {
                return Err("-Performance is required with -VMName".to_owned());
            }
            let mut names = given.list("VMName");
            if names.is_empty() && pipes.input {
                names.push("-".to_owned());
            }
            if names.is_empty() {
                return Err("-VMName is required with -Performance".to_owned());
            }
            Ok(Command::Vm(VmCommand::Set(VmSet {
                names,
                performance: given.text("Performance"),
                security: VmSecurity::default(),
                now: given.has("Now"),
                node: None,
                how: change_options(given),
            })))
        }
    }
}

pub fn status(_: &Given, _: Pipes) -> Built {
    Ok(Command::Status(show_of()))
}

pub fn disable(given: &Given, _: Pipes) -> Built {
    Ok(Command::Disable(Disable {
        wait: Wait::default(),
        how: change_options(given),
    }))
}

pub fn vm_enable(given: &Given, _: Pipes) -> Built {
    Ok(Command::Vm(VmCommand::Enable(VmEnable {
        names: given.list("VMName"),
        performance: given.text("Performance").unwrap_or_default(),
        now: given.has("Now"),
        add_nic: given.has("AddNic"),
        mac: None,
        security: VmSecurity::default(),
        node: None,
        how: change_options(given),
    })))
}

pub fn vm_set(given: &Given, _: Pipes) -> Built {
    Ok(Command::Vm(VmCommand::Set(VmSet {
        names: given.list("VMName"),
        performance: given.text("Performance"),
        security: VmSecurity::default(),
        now: given.has("Now"),
        node: None,
        how: change_options(given),
    })))
}

pub fn vm_disable(given: &Given, _: Pipes) -> Built {
    Ok(Command::Vm(VmCommand::Disable(VmDisable {
        names: given.list("VMName"),
        node: None,
        how: change_options(given),
    })))
}

/// A table for people, names for a pipe.
fn list(name: Vec<String>, accelerated: bool, pipes: Pipes) -> Command {
    Command::Vm(VmCommand::List(VmList {
        accelerated,
        not_accelerated: false,
        name,
        node: None,
        output: match pipes.people {
            true => ListOutput::Table,
            false => ListOutput::Name,
        },
    }))
}

pub fn accelerated(given: &Given, pipes: Pipes) -> Built {
    let names = given.list("VMName");
    Ok(match pipes.people && !names.is_empty() {
        true => Command::Vm(VmCommand::Show(VmShow {
            names,
            node: None,
            output: Output::Table,
        })),
        false => list(names, true, pipes),
    })
}

pub fn vms(given: &Given, pipes: Pipes) -> Built {
    Ok(list(given.list("Name"), false, pipes))
}

pub fn nics(given: &Given, _: Pipes) -> Built {
    Ok(Command::Vm(VmCommand::Nics(VmShow {
        names: given.list("VMName"),
        node: None,
        output: Output::Table,
    })))
}

/// What a change of adapters takes when nothing is said.
fn change(given: &Given) -> Change {
    Change {
        timeout: Change::TIMEOUT,
        dry_run: given.what_if,
        output: Output::Table,
    }
}

pub fn sriov_enable(given: &Given, _: Pipes) -> Built {
    let names = given.list("Name");
    Ok(Command::Adapter(AdapterCommand::Enable(AdapterEnable {
        all: names.is_empty(),
        names,
        vfs: None,
        how: change(given),
    })))
}

pub fn sriov_disable(given: &Given, _: Pipes) -> Built {
    Ok(Command::Adapter(AdapterCommand::Disable(AdapterDisable {
        names: given.list("Name"),
        how: change(given),
    })))
}

pub fn sriov(given: &Given, _: Pipes) -> Built {
    Ok(Command::Adapter(match given.text("Name") {
        Some(name) => AdapterCommand::Show(AdapterShow {
            name,
            node: None,
            ask: false,
            output: Output::Table,
        }),
        None => AdapterCommand::List(AdapterList {
            node: None,
            output: ListOutput::Table,
        }),
    }))
}

pub fn intent_add(given: &Given, _: Pipes) -> Built {
    Ok(Command::Intent(IntentCommand::Add(IntentAdd {
        name: given.text("Name").unwrap_or_default(),
        roles: roles(given),
        adapter: given.list("AdapterName"),
        vfs: None,
        security: IntentSecurity::default(),
        wait: Wait::default(),
        how: change_options(given),
    })))
}

pub fn intents(given: &Given, _: Pipes) -> Built {
    Ok(Command::Intent(match given.text("Name") {
        Some(name) => IntentCommand::Show(IntentShow {
            name,
            node: None,
            output: Output::Table,
        }),
        None => IntentCommand::List(IntentList {
            node: None,
            output: ListOutput::Table,
        }),
    }))
}

pub fn intent_status(given: &Given, _: Pipes) -> Built {
    Ok(Command::Intent(IntentCommand::Status(IntentStatus {
        name: given.text("Name"),
        node: None,
        output: Output::Table,
    })))
}

pub fn intent_set(given: &Given, _: Pipes) -> Built {
    Ok(Command::Intent(IntentCommand::Set(IntentSet {
        name: given.text("Name").unwrap_or_default(),
        roles: roles(given),
        adapter: given.list("AdapterName"),
        vfs: None,
        security: IntentSecurity::default(),
        disruptive: false,
        wait: Wait::default(),
        how: change_options(given),
    })))
}

pub fn intent_remove(given: &Given, _: Pipes) -> Built {
    Ok(Command::Intent(IntentCommand::Remove(IntentRemove {
        name: given.text("Name").unwrap_or_default(),
        wait: Wait::default(),
        how: change_options(given),
    })))
}

pub fn health(_: &Given, _: Pipes) -> Built {
    Ok(Command::Health(show_of()))
}

pub fn faults(_: &Given, _: Pipes) -> Built {
    Ok(Command::Faults(show_of()))
}

pub fn log(_: &Given, _: Pipes) -> Built {
    Ok(Command::Log(Log {
        limit: Log::LIMIT,
        node: None,
        follow: false,
        output: Output::Table,
    }))
}
