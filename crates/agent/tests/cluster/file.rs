//! The store of a machine on its own, whose file is damaged, deleted or replaced by an older copy while VMs
//! run: the agent goes on by what it read last.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::cluster::restore::{accept, restore};
use accelnet_agent::run::{Place, Running, StoreChoice, remembered_beside, start};
use accelnet_agent::simulated::Simulated;
use accelnet_api::{Client, Server};
use accelnet_model::{Code, Problem};
use accelnet_store::testing::until;
use accelnet_store::{Embedded, History};
use tempfile::TempDir;

use crate::fixture::{INTENT, Machine, enable, intent_add, only, vm_enable};

const AT: &str = "2026-05-01T12:00:00Z";

fn private(path: &Path, content: &[u8]) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, content).expect("written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("private");
}

struct Alone {
    machine: Machine,
    client: Client,
    store: PathBuf,
    running: Option<Running>,
    boots: u32,
    folder: TempDir,
}

impl Alone {
    /// With a VM that runs on its VF.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut alone = Alone {
            machine: Machine::boot(1),
            client: Client::new(folder.path().join("socket")),
            store: folder.path().join("store"),
            running: None,
            boots: 0,
            folder,
        };
        alone.start();
        alone.client.intent_add(&intent_add(2)).expect("declared");
        alone.client.enable(&enable(0)).expect("enabled");
        alone.machine.define(1);
        alone.machine.define(2);
        alone.enables(1).expect("accelerated");
        let vms = &alone.machine.sim.vms;
        vms.virsh_start(&alone.machine.vm(1)).expect("started");
        let written = || {
            let last = Backup::read(&fs::read(remembered_beside(&alone.store)).unwrap_or_default());
            last.is_ok_and(|last| {
                last.entries
                    .iter()
                    .any(|one| one.key.starts_with("policy/vms/"))
            })
        };
        assert!(until(written));
        alone
    }

    fn start(&mut self) {
        let server = Server::bind(&self.folder.path().join("socket")).expect("a socket");
        let edge = Simulated::new(self.machine.sim.clone()).in_real_time();
        let place = Place::open(&StoreChoice::File(self.store.clone()), &self.machine.name);
        let place = place.expect("a store");
        let running = start(
            Box::new(edge),
            place,
            self.machine.name.parse().expect("a name"),
            server,
            false,
        );
        self.running = Some(running.expect("an agent"));
    }

    /// Stops it as the end of its process would: nothing holds the file.
    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stopper().stop();
            running.wait();
        }
    }

    fn enables(&self, vm: u8) -> Result<(), Problem> {
        let result = only(self.client.vms_change(&vm_enable(&self.machine.vm(vm))))?;
        result.problem.map_or(Ok(()), Err)
    }

    fn vfs(&self) -> (usize, usize) {
        let (_, vfs) = self.machine.sim.kernel.node().vfs_of("ens1").expect("a PF");
        (vfs.len(), self.machine.sim.vms.vfs_in_use().len())
    }

    /// An agent on another file with what this one read last, as after a boot.
    fn boots_with(&mut self, content: Option<&[u8]>) {
        self.stop();
        let last_read = fs::read(remembered_beside(&self.store)).expect("what was read last");
        let seen = fs::read(revision_beside(&self.store));
        self.boots += 1;
        let folder = self.folder.path().join(format!("boot{}", self.boots));
        self.store = folder.join("store");
        fs::create_dir(&folder).expect("a folder");
        private(&remembered_beside(&self.store), &last_read);
        if let Ok(seen) = &seen {
            private(&revision_beside(&self.store), seen);
        }
        if let Some(content) = content {
            private(&self.store, content);
        }
        self.start();
    }

    fn goes_by_what_was_read(&self, code: Code) {
        let status = self.client.status().expect("a status");
        assert!(status.enabled);
        let fault = status.faults.iter().find(|fault| fault.code == code);
        let fault = fault.unwrap_or_else(|| panic!("{:?}", status.faults));
        assert!(fault.resolution.contains("store restore"), "{fault:?}");
        assert_eq!(self.enables(2).expect_err("refused").code, code);
        assert_eq!(self.vfs(), (2, 1));
        let intent = self.client.intent(INTENT).expect("an intent");
        assert_eq!(intent.intent.name, INTENT);
    }

    /// As `accelnet store restore` with what the agent read last does.
    fn restored(&mut self) {
        self.stop();
        let last = fs::read(remembered_beside(&self.store)).expect("what was read last");
        let last = Backup::read(&last).expect("a backup");
        self.boots_with(None);
        self.stop();
        self.store = self.folder.path().join("restored");
        let store = Embedded::open(&self.store, History::default(), || Duration::ZERO);
        let store = store.expect("a store");
        restore(&store, "file", &last, AT, 1, false).expect("restored");
        drop(store);
        self.start();
        self.enables(2).expect("it goes on");
        assert_eq!(self.vfs(), (2, 1));
    }
}

#[test]
fn a_deleted_file_takes_nothing_away() {
    let mut alone = Alone::new();
    alone.boots_with(None);
    alone.goes_by_what_was_read(Code::StoreForeign);
    alone.restored();
}

#[test]
fn an_older_copy_takes_nothing_away() {
    let mut alone = Alone::new();
    let older = fs::read(&alone.store).expect("a file");
    alone.enables(2).expect("accelerated");
    let newer = || {
        let last = fs::read(remembered_beside(&alone.store)).unwrap_or_default();
        String::from_utf8_lossy(&last).contains("vm12")
    };
    assert!(until(newer));
    alone.boots_with(Some(&older));
    let status = alone.client.status().expect("a status");
    let fault = status
        .faults
        .iter()
        .find(|fault| fault.code == Code::StoreForeign);
    assert!(
        fault.is_some_and(|fault| fault.message.contains("older state")),
        "{status:?}"
    );
    assert_eq!(alone.vfs(), (2, 1));
}

/// Where the highest revision that was seen is kept.
fn revision_beside(store: &Path) -> PathBuf {
    remembered_beside(store).with_extension("last-read.revision")
}

/// Nothing of the policy is lost, and of the log the newest.
#[test]
fn an_older_copy_that_lost_events_alone_is_noticed() {
    let mut alone = Alone::new();
    let older = fs::read(&alone.store).expect("a file");
    drop(alone.client.vms_change(&vm_enable("nobody")));
    let events = alone.client.events(0, 1, Duration::ZERO).expect("events");
    let lost = events.events[0].number / 1024;
    let knows = || {
        let text = fs::read(revision_beside(&alone.store)).unwrap_or_default();
        let known = serde_json::from_slice::<serde_json::Value>(&text);
        known.is_ok_and(|known| known["revision"].as_u64() >= Some(lost))
    };
    assert!(until(knows));
    alone.boots_with(Some(&older));
    let status = alone.client.status().expect("a status");
    let mut faults = status.faults.iter();
    let fault = faults.find(|fault| fault.code == Code::StoreForeign);
    assert!(
        fault.is_some_and(|fault| fault.message.contains("older state")),
        "{status:?}"
    );
    assert_eq!(alone.vfs(), (2, 1));
    alone.stop();
    let accepted = alone.folder.path().join("accepted");
    private(&accepted, &fs::read(&alone.store).expect("a file"));
    let store = Embedded::open(&accepted, History::default(), || Duration::ZERO);
    let store = store.expect("a store");
    let known = Backup::take(&store, AT).expect("a backup").identity();
    accept(&store, "file", known.as_ref(), 1, false).expect("accepted");
    drop(store);
    alone.boots_with(Some(&fs::read(&accepted).expect("a file")));
    alone.enables(2).expect("it goes on");
}

#[test]
fn a_flipped_bit_or_a_zeroed_block_stops_nothing() {
    let mut alone = Alone::new();
    let whole = fs::read(&alone.store).expect("a file");
    let mut refused = 0;
    for block in 0..(whole.len() - 8224) / 4104 {
        let mut content = whole.clone();
        let at = 8224 + block * 4104;
        match block % 2 {
            0 => content[at + 100] ^= 1,
            _ => content[at..at + 4096].fill(0),
        }
        if block % 7 > 1 {
            continue;
        }
        alone.boots_with(Some(&content));
        assert_eq!(alone.vfs(), (2, 1), "block {block}");
        let status = alone.client.status().expect("a status");
        assert!(status.enabled, "block {block}");
        let faults = status
            .faults
            .iter()
            .filter(|fault| fault.code == Code::StoreFailed);
        refused += faults.count();
    }
    assert!(refused > 0, "a block was in use");
    let mut both = whole;
    both[..8224].fill(0);
    alone.boots_with(Some(&both));
    alone.goes_by_what_was_read(Code::StoreFailed);
    alone.restored();
}
