//! Requests and answers. Their JSON is the API: fields are added, never changed.

pub mod adapters;
pub mod event;
pub mod failure;
mod figures;
pub mod intents;
pub mod management;
pub mod nodes;
pub mod plan;
pub mod vms;

pub use adapters::{AdapterResult, AdaptersChange, AdaptersChanged};
pub use event::{Event, EventKind, Events, Origin, SubjectOutcome};
pub use failure::{Failure, Version};
pub use intents::{IntentAdd, IntentChanged, IntentSet, IntentView};
pub use management::{
    AdapterUse, AgentInfo, Enable, Fault, ManagementChanged, PrereqAnswer, Set, Severity, Status,
};
pub use nodes::{DrainVm, Drained, NodeDrain, NodeDrained, NodeReport, NodeView, Standing};
pub use plan::{PlanAnswer, PlannedStep};
pub use vms::{
    Destination, Path, State, Verified, VmChange, VmChanged, VmDisable, VmEnable, VmResult, VmSet,
    VmView, VnicView,
};
