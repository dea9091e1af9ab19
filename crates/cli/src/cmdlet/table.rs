//! The cmdlets, as data.

use super::Pipes;
use super::build;
use super::given::Given;
use crate::args::Command;

/// One cmdlet.
pub struct Cmdlet {
    /// Its name, as the document spells it.
    pub name: &'static str,
    /// The native command that does it.
    pub native: &'static str,
    /// What it does, an imperative.
    pub about: &'static str,
    /// Whether it changes anything, and takes `-WhatIf` and `-Confirm`.
    pub changes: bool,
    /// Its parameters; those with a position are given in that order without a name.
    pub parameters: &'static [Parameter],
    /// The native command of what was given, or why there is none, a fragment.
    pub build: fn(&Given, Pipes) -> Result<Command, String>,
}

/// One parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Another name that it answers to.
    pub alias: Option<&'static str>,
    /// What it holds.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Place among the words without a name, from 0.
    pub position: Option<usize>,
    /// Whether names on standard input stand for it.
    pub pipeline: bool,
    /// What it does.
    pub about: &'static str,
}

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One word.
    Text,
    /// One word, or nothing.
    Blank,
    /// Words with commas between.
    List,
    /// Nothing: it is there or not.
    Switch,
}

impl Parameter {
    const fn new(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Parameter {
            name,
            alias: None,
            kind,
            required: false,
            position: None,
            pipeline: false,
            about,
        }
    }

    const fn required(self) -> Self {
        Parameter {
            required: true,
            ..self
        }
    }

    const fn at(self, position: usize) -> Self {
        Parameter {
            position: Some(position),
            ..self
        }
    }

    const fn alias(self, alias: &'static str) -> Self {
        Parameter {
            alias: Some(alias),
            ..self
        }
    }

    const fn pipeline(self) -> Self {
        Parameter {
            pipeline: true,
            ..self
        }
    }
}

/// What every cmdlet takes.
pub const COMMON: &[Parameter] = &[
    Parameter::new("Verbose", Kind::Switch, "Has no effect, and prints a note."),
    Parameter::new("Help", Kind::Switch, "Show help.").alias("?"),
];

/// What every cmdlet that changes something takes, too.
pub const CHANGES: &[Parameter] = &[
    Parameter::new(
        "WhatIf",
        Kind::Switch,
        "Show the steps, and change nothing.",
    ),
    Parameter::new(
        "Confirm",
        Kind::Switch,
        "There are no confirmation prompts: only -Confirm:$false is accepted.",
    ),
];

const INTENT: Parameter = Parameter::new("IntentName", Kind::Text, "The compute intent.");
const RESERVE: Parameter = Parameter::new(
    "NodeReservePercentage",
    Kind::Blank,
    "Node reserve: the percentage of nodes that can be down at once, 0 to 99 (default: 50).",
);
const VMS: Parameter = Parameter::new(
    "VMName",
    Kind::List,
    "VMs: names, UUIDs or patterns, separated by commas.",
);
const PERFORMANCE: Parameter = Parameter::new(
    "Performance",
    Kind::Text,
    "Performance setting: Low, Medium or High.",
);
const NOW: Parameter = Parameter::new(
    "Now",
    Kind::Switch,
    "Attach the vNIC of a running VM again where that is needed.",
);
const NAME: Parameter = Parameter::new("Name", Kind::Text, "The intent's name.");
const COMPUTE: Parameter = Parameter::new("Compute", Kind::Switch, "Traffic of VMs.");
const MANAGEMENT: Parameter = Parameter::new(
    "Management",
    Kind::Switch,
    "Management traffic of the node.",
);
const STORAGE: Parameter = Parameter::new("Storage", Kind::Switch, "Storage traffic.");
const ADAPTERS: Parameter = Parameter::new(
    "AdapterName",
    Kind::List,
    "Adapters: netdev names, PCI addresses or MACs, separated by commas.",
);
const SRIOV: Parameter = Parameter::new(
    "Name",
    Kind::List,
    "Adapters: netdev names, PCI addresses or MACs, separated by commas.",
);

/// Every cmdlet, in the document's order.
#[rustfmt::skip]
pub static CMDLETS: &[Cmdlet] = &[
    Cmdlet { name: "Get-AccelNetManagementPreReq", native: "accelnet prereq", changes: false,
        about: "Check the prerequisites of Accelerated Networking",
        parameters: &[INTENT.at(0)], build: build::prereq },
    Cmdlet { name: "Enable-AccelNetManagement", native: "accelnet enable", changes: true,
        about: "Enable Accelerated Networking on a compute intent",
        parameters: &[INTENT.required().at(0), RESERVE.at(1)], build: build::enable },
    Cmdlet { name: "Set-AccelNetManagement", native: "accelnet set, accelnet vm set", changes: true,
        about: "Change the settings of Accelerated Networking, or of VMs",
        parameters: &[INTENT, RESERVE, VMS.pipeline(), PERFORMANCE, NOW], build: build::set },
    Cmdlet { name: "Get-AccelNetManagement", native: "accelnet status", changes: false,
        about: "Show cluster status",
        parameters: &[], build: build::status },
    Cmdlet { name: "Disable-AccelNetManagement", native: "accelnet disable", changes: true,
        about: "Disable Accelerated Networking; VMs keep their VFs",
        parameters: &[], build: build::disable },
    Cmdlet { name: "Enable-AccelNetVM", native: "accelnet vm enable", changes: true,
        about: "Accelerate VMs",
        parameters: &[VMS.required().at(0).pipeline(), PERFORMANCE.required().at(1), NOW,
            Parameter::new("AddNic", Kind::Switch, "Add a vNIC on the intent's virtual switch where a VM has none.")],
        build: build::vm_enable },
    Cmdlet { name: "Set-AccelNetVM", native: "accelnet vm set", changes: true,
        about: "Change the performance setting of accelerated VMs",
        parameters: &[VMS.required().at(0).pipeline(), PERFORMANCE.required().at(1), NOW], build: build::vm_set },
    Cmdlet { name: "Disable-AccelNetVM", native: "accelnet vm disable", changes: true,
        about: "Move VMs to their software path",
        parameters: &[VMS.required().at(0).pipeline()], build: build::vm_disable },
    Cmdlet { name: "Get-AccelNetVM", native: "accelnet vm list --accelerated, accelnet vm show", changes: false,
        about: "Show accelerated VMs; one name a line into a pipe",
        parameters: &[VMS.at(0)], build: build::accelerated },
    Cmdlet { name: "Get-VM", native: "accelnet vm list", changes: false,
        about: "List VMs; one name a line into a pipe",
        parameters: &[Parameter::new("Name", Kind::List, VMS.about).alias("VMName").at(0)], build: build::vms },
    Cmdlet { name: "Get-VMAdaptersConnectedToEnabledIntentSwitch", native: "accelnet vm nics", changes: false,
        about: "Show the vNICs of VMs, and which are on the enabled intent's virtual switch",
        parameters: &[VMS.required().at(0).pipeline()], build: build::nics },
    Cmdlet { name: "Enable-NetAdapterSriov", native: "accelnet adapter enable", changes: true,
        about: "Enable SR-IOV; without a name, on every adapter that supports it",
        parameters: &[SRIOV.at(0)], build: build::sriov_enable },
    Cmdlet { name: "Get-NetAdapterSriov", native: "accelnet adapter list, accelnet adapter show", changes: false,
        about: "Show adapters and their SR-IOV",
        parameters: &[Parameter::new("Name", Kind::Text, "One adapter: netdev name, PCI address or MAC.").at(0)],
        build: build::sriov },
    Cmdlet { name: "Disable-NetAdapterSriov", native: "accelnet adapter disable", changes: true,
        about: "Disable SR-IOV",
        parameters: &[SRIOV.required().at(0)], build: build::sriov_disable },
    Cmdlet { name: "Add-NetIntent", native: "accelnet intent add", changes: true,
        about: "Add an intent",
        parameters: &[NAME.required().at(0), COMPUTE, MANAGEMENT, STORAGE, ADAPTERS.required()], build: build::intent_add },
    Cmdlet { name: "Get-NetIntent", native: "accelnet intent list, accelnet intent show", changes: false,
        about: "Show intents",
        parameters: &[NAME.at(0)], build: build::intents },
    Cmdlet { name: "Get-NetIntentStatus", native: "accelnet intent status", changes: false,
        about: "Show the state of intents on every node",
        parameters: &[NAME.at(0)], build: build::intent_status },
    Cmdlet { name: "Set-NetIntent", native: "accelnet intent set", changes: true,
        about: "Change an intent; given roles and adapters replace the current ones",
        parameters: &[NAME.required().at(0), COMPUTE, MANAGEMENT, STORAGE, ADAPTERS], build: build::intent_set },
    Cmdlet { name: "Remove-NetIntent", native: "accelnet intent remove", changes: true,
        about: "Remove an unused intent",
        parameters: &[NAME.required().at(0)], build: build::intent_remove },
    Cmdlet { name: "Get-NetHudStatus", native: "accelnet health", changes: false,
        about: "Show health",
        parameters: &[], build: build::health },
    Cmdlet { name: "Get-NetHudFault", native: "accelnet faults", changes: false,
        about: "List faults",
        parameters: &[], build: build::faults },
    Cmdlet { name: "Get-NetHudLog", native: "accelnet log", changes: false,
        about: "Show events",
        parameters: &[], build: build::log },
];

impl Cmdlet {
    /// All of its parameters, the common ones last.
    pub fn all(&self) -> impl Iterator<Item = &'static Parameter> {
        let changes = if self.changes { CHANGES } else { &[] };
        self.parameters.iter().chain(changes).chain(COMMON)
    }
}
