//! One row of a prerequisite check: what was judged, of what, and how it came out.

use serde::{Deserialize, Serialize};

use crate::{Code, Problem};

/// One check. Its JSON is part of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Check {
    /// The name of the check.
    pub name: CheckName,
    /// The node that was checked.
    pub node: String,
    /// The subject of the check: the node, an adapter or an intent.
    pub subject: String,
    /// Whether it passed, with or without a warning, or is not required.
    pub passed: bool,
    /// The outcome.
    pub outcome: Outcome,
    /// The result, one sentence.
    pub message: String,
    /// The code; none if the check passed without a warning.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<Code>,
    /// The document's code of which `code` is a case; none if `code` is not a case of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub document_code: Option<Code>,
    /// The cause: what was found.
    pub found: String,
    /// What is needed; empty if the check passed without a warning.
    pub needed: String,
    /// How to fix it; empty if the check passed without a warning.
    pub resolution: String,
    /// The message of the kernel, the driver or libvirt, if there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cause: Option<String>,
}

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Passed,
    /// It works, and something is worth knowing.
    Warning,
    /// It does not work.
    Failed,
    /// It could not be judged.
    Unknown,
    /// It cannot be judged in a copy of a node, and does not count.
    NotJudged,
    /// The adapter cannot be used; no failure, since no command and no intent names it.
    NotUsable,
}

/// The names of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CheckName {
    /// Kernel at or above the minimum.
    Kernel,
    /// Kernel lockdown.
    Lockdown,
    /// KVM usable.
    Kvm,
    /// IOMMU on.
    Iommu,
    /// vfio-pci there.
    Vfio,
    /// libvirt at or above the minimum.
    Libvirt,
    /// QEMU at or above the minimum.
    Qemu,
    /// The firewall accepts bridged traffic.
    SoftwarePath,
    /// libvirt's hook may run.
    Hook,
    /// All of the above.
    Platform,
    /// SMT the same on all nodes.
    Hyperthreading,
    /// The intent exists.
    Intent,
    /// The intent has the compute role.
    IntentType,
    /// Which adapters there are.
    Adapters,
    /// The adapter advertises SR-IOV.
    Sriov,
    /// The way to the root has ACS.
    Acs,
    /// Every VF has its own IOMMU group.
    IommuGroups,
    /// The driver does SR-IOV.
    Driver,
    /// Bus numbers suffice.
    BusNumbers,
    /// Memory space of the VFs was assigned.
    VfMemory,
    /// It carries Ethernet.
    LinkType,
    /// The model is known.
    Model,
    /// The adapter is up.
    Link,
    /// The node sends heartbeats, and has reported.
    Node,
    /// An intent's adapters are alike on all nodes.
    AdaptersAlike,
    /// One that only a later release knows.
    #[serde(other)]
    OfLaterRelease,
}

impl Check {
    /// What is wrong; none of a row that simply passed.
    pub fn problem(self) -> Option<Problem> {
        Some(Problem {
            code: self.code?,
            document_code: self.document_code,
            message: self.message,
            found: self.found,
            needed: self.needed,
            resolution: self.resolution,
            cause: self.cause,
        })
    }

    /// The same row of an adapter that nothing requested: where it failed, the adapter is not usable, and
    /// that is no failure of the node.
    #[must_use]
    pub fn unless_asked_for(mut self) -> Check {
        if !self.passed {
            self.passed = true;
            self.outcome = Outcome::NotUsable;
        }
        self
    }
}

impl CheckName {
    /// The name as it is shown.
    pub fn as_str(self) -> &'static str {
        match self {
            CheckName::Kernel => "kernel",
            CheckName::Lockdown => "lockdown",
            CheckName::Kvm => "kvm",
            CheckName::Iommu => "iommu",
            CheckName::Vfio => "vfio",
            CheckName::Libvirt => "libvirt",
            CheckName::Qemu => "qemu",
            CheckName::SoftwarePath => "software-path",
            CheckName::Hook => "hook",
            CheckName::Platform => "platform",
            CheckName::Hyperthreading => "hyperthreading",
            CheckName::Intent => "intent",
            CheckName::IntentType => "intent-type",
            CheckName::Adapters => "adapters",
            CheckName::Sriov => "sriov",
            CheckName::Acs => "acs",
            CheckName::IommuGroups => "iommu-groups",
            CheckName::Driver => "driver",
            CheckName::BusNumbers => "bus-numbers",
            CheckName::VfMemory => "vf-memory",
            CheckName::LinkType => "link-type",
            CheckName::Model => "model",
            CheckName::Link => "link",
            CheckName::Node => "node",
            CheckName::AdaptersAlike => "adapters-alike",
            CheckName::OfLaterRelease => "of-later-release",
        }
    }
}

/// A row that is being made: its name, node and subject, before its outcome.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The name of the check.
    pub name: CheckName,
    /// Node that is judged.
    pub node: &'a str,
    /// What is judged on it.
    pub subject: &'a str,
}

impl Row<'_> {
    /// As it should be; `found` is a sentence.
    pub fn passed(self, found: impl Into<String>) -> Check {
        let found = found.into();
        Check {
            name: self.name,
            node: self.node.to_owned(),
            subject: self.subject.to_owned(),
            passed: true,
            outcome: Outcome::Passed,
            message: found.clone(),
            code: None,
            document_code: None,
            found,
            needed: String::new(),
            resolution: String::new(),
            cause: None,
        }
    }

    /// It does not work.
    pub fn failed(self, problem: Problem) -> Check {
        self.with(problem, Outcome::Failed)
    }

    /// It works, and something is worth knowing.
    pub fn warned(self, problem: Problem) -> Check {
        self.with(problem, Outcome::Warning)
    }

    /// It could not be judged, because `what` could not be read, and why.
    pub fn unknown(self, what: &str, reason: &str) -> Check {
        let judged = format!("Check {} of {}", self.name.as_str(), self.subject);
        let problem = Problem::new(Code::NotReadable, &[&judged, what], reason);
        let problem = match reason.contains("(needs root") {
            true => problem.resolution("Run the same command as root."),
            false => problem,
        };
        self.with(problem, Outcome::Unknown)
    }

    /// A copy of a node does not hold `what`.
    pub fn not_judged(self, what: &str) -> Check {
        Check {
            outcome: Outcome::NotJudged,
            ..self.passed(format!(
                "Not judged: a copy of a node does not hold {what}."
            ))
        }
    }

    fn with(self, problem: Problem, outcome: Outcome) -> Check {
        Check {
            name: self.name,
            node: self.node.to_owned(),
            subject: self.subject.to_owned(),
            passed: outcome == Outcome::Warning,
            outcome,
            message: problem.message,
            code: Some(problem.code),
            document_code: problem.document_code,
            found: problem.found,
            needed: problem.needed,
            resolution: problem.resolution,
            cause: problem.cause,
        }
    }
}
