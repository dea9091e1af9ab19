//! What the document does, task by task, as data.

use accelnet_api::types::{Path, State};
use accelnet_api::{Client, types::VmView};
use accelnet_model::{Code, Performance};

use super::cluster::Cluster;

/// What another user does in the cluster.
pub type ByOthers = fn(&Cluster) -> Result<(), accelnet_model::Problem>;

/// One line to be typed.
pub struct Task {
    /// What it is for.
    pub title: &'static str,
    /// The line as the document writes it.
    pub line: &'static str,
    /// The native command for it.
    pub native: &'static str,
    /// The code that it is refused with; none where it goes well.
    pub refused: Option<Code>,
    /// What must be so afterwards, or else what is not.
    pub check: fn(&Client) -> Result<(), String>,
    /// What happens in the cluster after it, by other hands.
    pub then: Option<ByOthers>,
}

const fn task(
    title: &'static str,
    line: &'static str,
    native: &'static str,
    check: fn(&Client) -> Result<(), String>,
) -> Task {
    Task {
        title,
        line,
        native,
        refused: None,
        check,
        then: None,
    }
}

/// All of it, in the document's order; what the document takes for granted comes where it is
/// needed.
pub const TASKS: &[Task] = &[
    task(
        "Switch SR-IOV on",
        "Enable-NetAdapterSriov",
        "accelnet adapter enable",
        anything,
    ),
    Task {
        then: Some(|cluster| {
            cluster.await_intent()?;
            // A user starts it, as with virsh.
            cluster.run("MyVM")
        }),
        ..task(
            "Declare a compute intent",
            "Add-NetIntent -Name MyIntent -Compute -AdapterName ens1",
            "accelnet intent add MyIntent --compute --adapter ens1",
            anything,
        )
    },
    task(
        "Check the prerequisites",
        "Get-AccelNetManagementPreReq",
        "accelnet prereq",
        anything,
    ),
    Task {
        refused: Some(Code::IntentNotFound),
        ..task(
            "An intent that does not exist",
            "Enable-AccelNetManagement -IntentName \"YourIntent\" -NodeReservePercentage",
            "accelnet enable --intent YourIntent",
            is_disabled,
        )
    },
    Task {
        refused: Some(Code::NodeReserveInvalid),
        ..task(
            "A reserve that is no percentage of nodes",
            "Enable-AccelNetManagement -IntentName \"MyIntent\" -NodeReservePercentage 100",
            "accelnet enable --intent MyIntent --node-reserve 100",
            is_disabled,
        )
    },
    task(
        "Enable Accelerated Networking on a cluster",
        "Enable-AccelNetManagement -IntentName \"MyIntent\" -NodeReservePercentage",
        "accelnet enable --intent MyIntent",
        |client| is_enabled(client, 50),
    ),
    task(
        "Change Accelerated Networking settings on a cluster",
        "Set-AccelNetManagement -IntentName \"MyIntent\" -NodeReservePercentage",
        "accelnet set --intent MyIntent --node-reserve 50",
        |client| is_enabled(client, 50),
    ),
    task(
        "The same with another reserve",
        "Set-AccelNetManagement -IntentName \"MyIntent\" -NodeReservePercentage 25",
        "accelnet set --intent MyIntent --node-reserve 25",
        |client| is_enabled(client, 25),
    ),
    task(
        "Show cluster status",
        "Get-AccelNetManagement",
        "accelnet status",
        anything,
    ),
    task(
        "Enable Accelerated Networking on a VM",
        "Enable-AccelNetVM -VMName \"MyVM\" -Performance High",
        "accelnet vm enable MyVM --performance high",
        |client| {
            has(client, "MyVM", Some(Performance::High))?;
            let vm = vm(client, "MyVM")?;
            match vm.path {
                Path::Vf => Ok(()),
                path => Err(format!("MyVM runs, and its path is {path:?}")),
            }
        },
    ),
    task(
        "Enable Accelerated Networking for multiple VMs",
        "Get-VM -VMName \"MyVM01, MyVM02\" | Enable-AccelNetVM -Performance Low",
        "accelnet vm list --name MyVM01,MyVM02 -o name | accelnet vm enable --performance low -",
        |client| {
            has(client, "MyVM01", Some(Performance::Low))?;
            has(client, "MyVM02", Some(Performance::Low))
        },
    ),
    Task {
        refused: Some(Code::VmNotEnoughVcpus),
        ..task(
            "A VM with too few vCPUs",
            "Enable-AccelNetVM -VMName \"small\" -Performance High",
            "accelnet vm enable small --performance high",
            |client| has(client, "small", None),
        )
    },
    task(
        "Change Accelerated Networking settings on a VM",
        "Set-AccelNetManagement -VMName \"MyVM\" -Performance Medium",
        "accelnet vm set MyVM --performance medium",
        |client| has(client, "MyVM", Some(Performance::Medium)),
    ),
    task(
        "See the vNICs of a VM",
        "Get-VMAdaptersConnectedToEnabledIntentSwitch -VMName \"MyVM\"",
        "accelnet vm nics MyVM",
        anything,
    ),
    task(
        "See the accelerated VMs",
        "Get-AccelNetVM",
        "accelnet vm list --accelerated",
        anything,
    ),
    task(
        "Show health",
        "Get-NetHudStatus",
        "accelnet health",
        anything,
    ),
    task(
        "Disable Accelerated Networking on a VM",
        "Disable-AccelNetVM -VMName \"MyVM\"",
        "accelnet vm disable MyVM",
        |client| {
            has(client, "MyVM", None)?;
            match vm(client, "MyVM")?.path {
                Path::Software => Ok(()),
                path => Err(format!("MyVM runs, and its path is {path:?}")),
            }
        },
    ),
    task(
        "Disable Accelerated Networking for multiple VMs",
        "Get-VM -VMName \"MyVM01, MyVM02\" | Disable-AccelNetVM",
        "accelnet vm list --name MyVM01,MyVM02 -o name | accelnet vm disable -",
        |client| {
            has(client, "MyVM01", None)?;
            has(client, "MyVM02", None)
        },
    ),
    task(
        "Disable Accelerated Networking on a cluster",
        "Disable-AccelNetManagement",
        "accelnet disable",
        is_disabled,
    ),
];

fn anything(_client: &Client) -> Result<(), String> {
    Ok(())
}

fn is_enabled(client: &Client, reserve: u8) -> Result<(), String> {
    let status = client.status().map_err(|problem| problem.message)?;
    match (status.enabled, status.node_reserve_percentage, status.nodes) {
        (true, given, 4) if given == reserve => Ok(()),
        (enabled, given, nodes) => Err(format!(
            "status says enabled {enabled}, reserve {given} %, {nodes} nodes"
        )),
    }
}

fn is_disabled(client: &Client) -> Result<(), String> {
    let status = client.status().map_err(|problem| problem.message)?;
    match status.enabled {
        false => Ok(()),
        true => Err("status says that it is enabled".to_owned()),
    }
}

fn vm(client: &Client, name: &str) -> Result<VmView, String> {
    client.vm(name).map_err(|problem| problem.message)
}

fn has(client: &Client, name: &str, wanted: Option<Performance>) -> Result<(), String> {
    let vm = vm(client, name)?;
    let state = match wanted {
        Some(_) => State::Accelerated,
        None => State::NotAccelerated,
    };
    match vm.performance == wanted && vm.acceleration == state {
        true => Ok(()),
        false => Err(format!(
            "{name} is {:?} with {:?}",
            vm.acceleration, vm.performance
        )),
    }
}
