//! A network namespace with a few links in it, for as long as it is needed.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Makes the links of a kind that this kernel has, reports which, and stays.
const HOLDER: &str = r#"
for kind in dummy ifb bridge none; do
    ip link add bench0 type $kind 2>/dev/null && break
done
number=1
while [ $kind != none ] && [ $number -lt "$1" ]; do
    ip link add bench$number type $kind || exit 1
    number=$((number + 1))
done
echo $kind
exec sleep infinity
"#;

/// A namespace that ends with this value.
#[derive(Debug)]
pub struct Namespace {
    holder: Child,
}

impl Namespace {
    /// Moves the calling thread, and with it what it starts, into a new namespace with
    /// `links` links. `None` without the right to: then everything stays as it is.
    pub fn enter(links: u32) -> Option<Namespace> {
        let mut holder = Command::new("unshare")
            .args(["--net", "sh", "-c", HOLDER, "sh", &links.to_string()])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut kind = String::new();
        if let Some(output) = holder.stdout.take() {
            BufReader::new(output).read_line(&mut kind).ok()?;
        }
        let namespace = Namespace { holder };
        if !["dummy", "ifb", "bridge"].contains(&kind.trim()) {
            return None;
        }
        let file = File::open(format!("/proc/{}/ns/net", namespace.holder.id())).ok()?;
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).ok()?;
        Some(namespace)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        drop(self.holder.kill());
        drop(self.holder.wait());
    }
}
