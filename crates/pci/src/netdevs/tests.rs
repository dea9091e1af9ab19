use std::path::Path;

use super::function;

fn named(target: &str) -> Option<String> {
    function(Path::new(target)).map(|function| function.to_string())
}

#[test]
fn the_function_that_a_netdev_is_on() {
    let port = "../../devices/pci0000:00/0000:00:01.0";
    let pf = Some("0000:01:00.0".to_owned());
    assert_eq!(named(&format!("{port}/0000:01:00.0/net/ens1")), pf);
    assert_eq!(named(&format!("{port}/0000:01:00.0/virtio0/net/ens1")), pf);
    let subfunction = format!("{port}/0000:01:00.0/mlx5_core.sf.4/net/ens1s0");
    assert_eq!(named(&subfunction), None);
    assert_eq!(named("../../devices/virtual/net/lo"), None);
    assert_eq!(named("lo"), None);
}
