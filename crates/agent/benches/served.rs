//! An agent of a simulated node behind both doors, with an accelerated VM, for what attacks it: until its
//! standard input ends. Prints lines `NAME: VALUE`; the folder has a CA, and a certificate for each role.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use accelnet_agent::simulated::Simulated;
use accelnet_agent::simulated::served::{self, Served};
use accelnet_api::Role;
use accelnet_api::testing::Authority;

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    // Other users reach the socket.
    let open = Permissions::from_mode(0o755);
    fs::set_permissions(folder.path(), open).expect("a mode");
    let ca = Authority::new("the CA");
    let options = ca.door(folder.path()).expect("files");
    ca.write(&folder.path().join("ca.pem")).expect("a file");
    for role in Role::ALL {
        let certified = ca.client(role.name(), Some(&format!("accelnet-{role}")));
        certified.write(folder.path(), role.name()).expect("files");
    }
    let machine = served::small(&folder.path().join("node")).expect("a node");
    let edge = Box::new(Simulated::new(machine).in_real_time());
    let store = served::store().expect("a store");
    let served = Served::start(folder.path(), edge, store, Some(&options)).expect("an agent");
    served.declare().expect("a VM");
    let address = served.address().expect("an address");
    println!("process: {}", std::process::id());
    println!("socket: {}", served.socket().display());
    println!("address: {address}");
    println!("folder: {}", folder.path().display());
    drop(std::io::stdin().read_to_end(&mut Vec::new()));
}
