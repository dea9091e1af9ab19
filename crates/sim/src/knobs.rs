//! The knobs of a node that never existed: the real lock, and a simulated kernel behind it.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use accelnet_host::knobs::LockError;
use accelnet_host::{Knobs, Lock};
use accelnet_model::PciAddress;
use accelnet_model::vf_plan::Refusal;
use accelnet_pci::LockedRead;

use crate::fault::Fault;
use crate::kernel::SimKernel;
use crate::mutex::held;

/// How long attributes under the device lock are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl LockedRead for SimKernel {
    fn read(&self, paths: &[PathBuf]) -> Vec<io::Result<String>> {
        if paths.iter().any(|path| self.is_locked(path)) {
            self.advance(PATIENCE);
        }
        let answer = |path: &PathBuf| match self.is_locked(path) {
            true => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the kernel did not answer within 2 s: a change of the number of VFs is probably under way",
            )),
            false => std::fs::read_to_string(path),
        };
        paths.iter().map(answer).collect()
    }
}

impl Knobs for SimKernel {
    fn lock(&self, address: PciAddress, note: &str) -> Result<Lock, LockError> {
        let folder = self.root.locate("/run/accelnet/locks");
        match self.fault() {
            Some(Fault::NotRoot) => Err(LockError::Io {
                path: "/run/accelnet/locks".to_owned(),
                error: io::ErrorKind::PermissionDenied.into(),
            }),
            _ => Lock::take(&folder, address, note),
        }
    }

    fn write(
        &self,
        lock: &Lock,
        path: &str,
        value: &str,
        within: Duration,
        waiting: &mut dyn FnMut(),
    ) -> Result<(), Refusal> {
        SimKernel::write(self, lock, path, value, within, waiting)
    }

    fn hold(&self, path: &str) -> io::Result<File> {
        match self.fault() {
            Some(Fault::GroupsTaken) => Err(io::ErrorKind::ResourceBusy.into()),
            _ if held(&self.open).contains(path) => Err(io::ErrorKind::ResourceBusy.into()),
            _ => File::options()
                .read(true)
                .write(true)
                .open(self.root.locate(path)),
        }
    }
}
