//! The programs under test, on a small disk of their own: a node starts them from it, instead of
//! copying them through its slow shared folder first.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::command::check;
use crate::error::{Result, io};

/// Run in a node: what is on the disk is on the path, after its next boot, too.
pub(crate) const MOUNT: &str = "echo 'LABEL=programs /usr/local/bin ext4 ro 0 0' >> /etc/fstab
    mount /usr/local/bin";
/// What the file system takes beside the programs.
const SLACK: u64 = 8 << 20;
const SOON: Duration = Duration::from_secs(60);

/// Makes the disk `to` with these programs, without what only a debugger reads: that is most of
/// them. Needs no root; root owns the programs in the node, which 'accelnet setup' asks for.
pub(crate) fn make_disk(programs: &[PathBuf], to: &Path) -> Result<()> {
    let folder = to.with_extension("d");
    let failed = || io(format!("make the disk {}", to.display()));
    fs::create_dir(&folder).map_err(failed())?;
    let mut size = SLACK;
    for program in programs {
        let stripped = folder.join(program.file_name().unwrap_or_default());
        let mut strip = Command::new("strip");
        strip.arg("-o").arg(&stripped).arg(program);
        check(&format!("strip {}", program.display()), &mut strip, SOON)?;
        size += fs::metadata(&stripped).map_err(failed())?.len();
    }
    let disk = File::create(to).map_err(failed())?;
    disk.set_len(size.next_multiple_of(1 << 20))
        .map_err(failed())?;
    let mut mkfs = Command::new("sh");
    mkfs.args([
        "-euc",
        // Where root's programs are, for other users.
        "PATH=$PATH:/usr/sbin:/sbin; mkfs.ext4 -q -F -L programs -O ^has_journal \
         -E root_owner=0:0 -d \"$1\" \"$2\"
         for program in \"$1\"/*; do for id in uid gid; do
             debugfs -w -R \"set_inode_field /${program##*/} $id 0\" \"$2\" 2> /dev/null
         done; done",
        "sh",
    ]);
    check("make the disk of programs", mkfs.arg(&folder).arg(to), SOON)?;
    fs::remove_dir_all(&folder).map_err(failed())
}
