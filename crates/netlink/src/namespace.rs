//! The links of another network namespace.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::thread;

use accelnet_model::link::Link;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::{NetlinkError, links};

/// Reads the links of the network namespace that `file` stands for, such as
/// `/run/netns/blue` or `/proc/123/ns/net`. A thread enters it and ends there; the caller
/// stays where it is. Needs `CAP_SYS_ADMIN`, here and in the namespace's owner.
pub fn links_in(file: &Path) -> Result<Vec<Link>, NetlinkError> {
    let what = format!("read the links of {}", file.display());
    let failed = |call| {
        let what = &what;
        move |error: io::Error| NetlinkError::system(what, call, &error)
    };
    let namespace = File::open(file).map_err(failed("open"))?;
    let inside = thread::Builder::new()
        .name("netns".to_owned())
        .spawn(move || {
            let kind = Some(LinkNameSpaceType::Network);
            move_into_link_name_space(namespace.as_fd(), kind)
                .map_err(io::Error::from)
                .map(|()| links())
        })
        .map_err(failed("clone"))?;
    let panicked = |_| NetlinkError::system(&what, "clone", &io::Error::other("it panicked"));
    inside.join().map_err(panicked)?.map_err(failed("setns"))?
}
