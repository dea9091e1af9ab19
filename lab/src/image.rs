//! The artifacts that a node boots from: made once from Debian packages, kept by the recipe's hash.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use crate::apt::Apt;
use crate::artifacts::Artifacts;
use crate::cache::{Lock, folder};
use crate::command::check;
use crate::error::{Error, Result, io};
use crate::{emulators, packages, recipe};

/// mmdebstrap without the files that the caller left open: it hands the number of a file of
/// its own to the shell, which knows those of one digit only.
const MMDEBSTRAP: &str = r#"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec mmdebstrap "$@""#;

const MINUTES: Duration = Duration::from_secs(30 * 60);

/// Makes the artifacts unless they are there, installing the host's packages first if need be.
///
/// # Errors
/// When packages are missing and may not be installed, or a step fails; each names the remedy.
pub fn build() -> Result<Artifacts> {
    let cache = folder();
    let release = packages::release()?;
    let hash = recipe::hash(&release);
    let _building = Lock::exclusive(&cache.join("building"))?;
    let open = || Apt::open(&cache.join("apt"), &release);
    packages::ensure(open)?;
    let made = cache.join(&hash);
    if !made.exists() {
        let work = tempfile::Builder::new()
            .prefix("accelnet-lab-build-")
            .permissions(fs::Permissions::from_mode(0o711))
            .tempdir_in("/var/tmp")
            .map_err(io("create a folder in /var/tmp"))?;
        make(&open()?, &release, work.path())?;
        keep(&work.path().join("made"), &made)?;
        remove_others(&cache, &hash)?;
    }
    Ok(Artifacts {
        _in_use: Arc::new(Lock::shared(&in_use(&cache, &hash))?),
        folder: made,
    })
}

/// Makes everything in `work/made`.
fn make(apt: &Apt, release: &str, work: &Path) -> Result<()> {
    recipe::write_to(work)?;
    let made = work.join("made");
    fs::create_dir(&made).map_err(io(format!("create {}", made.display())))?;
    let kernel = work.join("kernel");
    let package = apt.download_kernel(work)?;
    shell(
        work,
        "unpack the kernel",
        "sh kernel.sh \"$1\" kernel",
        &[&package],
    )?;
    eprintln!("lab: packing the initramfs of nodes and of VMs");
    initramfs(work, "init-node.sh", "made/initrd", recipe::NODE_MODULES)?;
    initramfs(work, "init-vm.sh", "initrd.vm", recipe::VM_MODULES)?;
    shell(
        work,
        "gather what the node has beside its packages",
        "cp kernel/vmlinuz kernel/release made/
         ssh-keygen -q -t ed25519 -N '' -C accelnet-lab -f made/key
         mkdir -p rootfs/usr/lib rootfs/var/lib/libvirt/images rootfs/root/.ssh rootfs/host
         mv kernel/usr/lib/modules rootfs/usr/lib/
         mv kernel/vmlinuz initrd.vm rootfs/var/lib/libvirt/images/
         cp made/key.pub rootfs/root/.ssh/authorized_keys
         chmod -R u=rwX,go=rX rootfs
         chmod 700 rootfs/root rootfs/root/.ssh
         tar --create --owner=0 --group=0 --file=rootfs.tar --directory=rootfs .",
        &[],
    )?;
    fs::remove_dir_all(&kernel).map_err(io(format!("remove {}", kernel.display())))?;
    disk(apt, release, work)?;
    let first = Artifacts {
        _in_use: Arc::new(Lock::shared(&work.join("in-use"))?),
        folder: made,
    };
    emulators::ask(&first, work)
}

fn initramfs(work: &Path, init: &str, out: &str, modules: &[&str]) -> Result<()> {
    let script = format!("sh initramfs.sh kernel {init} {out} {}", modules.join(" "));
    let extra = if init == "init-vm.sh" {
        "EXTRA=vm "
    } else {
        ""
    };
    shell(work, "pack an initramfs", &format!("{extra}{script}"), &[])
}

/// Makes the node's disk with mmdebstrap, as root or in a user namespace.
fn disk(apt: &Apt, release: &str, work: &Path) -> Result<()> {
    eprintln!("lab: making the node image (one to two minutes)");
    let image = work.join("disk");
    // In a user namespace another user id writes it.
    fs::write(&image, "").map_err(io(format!("create {}", image.display())))?;
    fs::set_permissions(&image, fs::Permissions::from_mode(0o666))
        .map_err(io(format!("open {} to its maker", image.display())))?;
    let root = rustix::process::geteuid().is_root();
    let mut command = Command::new("sh");
    command
        .args(["-c", MMDEBSTRAP, "mmdebstrap"])
        .current_dir(work)
        .env("TMPDIR", "/var/tmp")
        .env("IMAGE", &image)
        .arg(if root {
            "--mode=root"
        } else {
            "--mode=unshare"
        })
        .args(["--variant=apt", "--format=null"])
        .arg(format!("--include={}", recipe::NODE.join(",")))
        .args([
            "--aptopt=Acquire::Languages \"none\"",
            "--dpkgopt=force-unsafe-io",
        ])
        .args(
            ["doc", "man", "locale"]
                .map(|name| format!("--dpkgopt=path-exclude=/usr/share/{name}/*")),
        )
        .arg("--setup-hook=mkdir --parents \"$1/etc/apt/preferences.d\"")
        .arg(format!(
            "--setup-hook=copy-in {} /etc/apt/preferences.d",
            apt.preferences().display()
        ))
        .arg("--customize-hook=tar-in rootfs.tar /")
        .args(
            ["customize.sh", "seal.sh"]
                .map(|name| format!("--customize-hook=sh {}/{name} \"$1\"", work.display())),
        )
        .args([release, "/dev/null"])
        .arg(apt.sources());
    let made = check("make the node image", &mut command, MINUTES);
    made.map_err(|cause| {
        if root {
            cause
        } else {
            Error::Unprivileged {
                cause: Box::new(cause),
            }
        }
    })?;
    shell(
        work,
        "keep the disk",
        "cp --sparse=always disk made/disk && chmod 644 made/disk",
        &[],
    )
}

/// Puts finished artifacts in their place, all at once.
fn keep(from: &Path, to: &Path) -> Result<()> {
    let near = to.with_extension("new");
    let failed = || io(format!("move the artifacts to {}", to.display()));
    if near.exists() {
        fs::remove_dir_all(&near).map_err(failed())?;
    }
    let mut copy = Command::new("cp");
    copy.args(["--archive", "--sparse=always"])
        .arg(from)
        .arg(&near);
    check("copy the artifacts", &mut copy, MINUTES)?;
    fs::rename(&near, to).map_err(failed())
}

/// Removes what older recipes made, unless a node still runs from it.
fn remove_others(cache: &Path, hash: &str) -> Result<()> {
    let failed = || io(format!("remove old artifacts from {}", cache.display()));
    for entry in fs::read_dir(cache).map_err(failed())?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let old = name.len() == hash.len() && name != hash && entry.path().join("disk").exists();
        if old && Lock::try_exclusive(&in_use(cache, &name))?.is_some() {
            fs::remove_dir_all(entry.path()).map_err(failed())?;
        }
    }
    Ok(())
}

fn in_use(cache: &Path, hash: &str) -> PathBuf {
    cache.join("in-use").join(hash)
}

fn shell(work: &Path, what: &str, script: &str, words: &[&Path]) -> Result<()> {
    let mut command = Command::new("sh");
    command
        .current_dir(work)
        .args(["-euc", script, "sh"])
        .args(words);
    check(what, &mut command, MINUTES).map(drop)
}
