//! The QEMU process of a running domain, as `/proc` and libvirt's run folder show it.

use std::fs;
use std::os::unix::fs::symlink;

use super::SimVms;
use super::state::State;

impl SimVms {
    pub(super) fn begin_process(&self, state: &mut State, uuid: &str) {
        state.processes += 1;
        let process = 10_000 + state.processes;
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        domain.process = Some(process);
        let at = |path: &str| self.kernel.root().locate(path);
        let folder = format!("/proc/{process}");
        // A tree that cannot be written shows in what is read of it.
        drop(fs::create_dir_all(at(&format!("{folder}/fd"))));
        drop(fs::create_dir_all(at(&format!("{folder}/ns"))));
        drop(fs::create_dir_all(at("/run/libvirt/qemu")));
        drop(fs::write(
            at(&format!("{folder}/comm")),
            "qemu-system-x86\n",
        ));
        let line = format!(
            "qemu-system-x86_64\0-name\0guest={},debug-threads=on\0",
            domain.name
        );
        drop(fs::write(at(&format!("{folder}/cmdline")), line));
        drop(symlink("net:[4026531840]", at(&format!("{folder}/ns/net"))));
        let file = format!("/run/libvirt/qemu/{}.pid", domain.name);
        drop(fs::write(at(&file), format!("{process}\n")));
    }

    pub(super) fn end_process(&self, state: &mut State, uuid: &str) {
        let Ok(domain) = state.domain(uuid) else {
            return;
        };
        if let Some(process) = domain.process.take() {
            let at = |path: String| self.kernel.root().locate(&path);
            drop(fs::remove_dir_all(at(format!("/proc/{process}"))));
            drop(fs::remove_file(at(format!(
                "/run/libvirt/qemu/{}.pid",
                domain.name
            ))));
        }
    }

    /// The process opens or closes a file.
    pub(super) fn open_file(&self, state: &mut State, uuid: &str, file: &str, open: bool) {
        let Some(process) = state.domain(uuid).ok().and_then(|domain| domain.process) else {
            return;
        };
        let name = file.rsplit('/').next().unwrap_or_default();
        let path = format!("/proc/{process}/fd/{name}");
        let path = self.kernel.root().locate(&path);
        drop(match open {
            true => symlink(file, path),
            false => fs::remove_file(path),
        });
    }
}
