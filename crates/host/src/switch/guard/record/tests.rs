use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use accelnet_model::switch::{Bridge, Carried, Mention, PortRules};
use accelnet_netlink::NetlinkError;

use super::*;

/// Switches that refuse one step, and note the others.
struct Fake {
    refuses: Option<String>,
    done: Mutex<Vec<String>>,
}

impl Fake {
    fn refusing(step: Option<&SwitchStep>) -> Self {
        Fake {
            refuses: step.map(ToString::to_string),
            done: Mutex::default(),
        }
    }

    fn done(&self) -> Vec<String> {
        self.done.lock().expect("not poisoned").clone()
    }
}

impl Switches for Fake {
    fn list_bridges(&self) -> Result<Vec<Bridge>, NetlinkError> {
        Ok(Vec::new())
    }

    fn carried(&self, _: &str) -> Result<Carried, NetlinkError> {
        Ok(Carried::default())
    }

    fn port_rules(&self, _: &str) -> Result<Option<PortRules>, NetlinkError> {
        Ok(None)
    }

    fn apply(&self, step: &SwitchStep) -> Result<(), NetlinkError> {
        if self.refuses == Some(step.to_string()) {
            return Err(NetlinkError::Refused {
                errno: 16,
                name: "EBUSY".to_owned(),
                words: None,
                what: step.to_string(),
            });
        }
        self.done
            .lock()
            .expect("not poisoned")
            .push(step.to_string());
        Ok(())
    }

    fn mentions(&self, _: &str) -> Vec<Mention> {
        Vec::new()
    }

    fn answers(&self, _: IpAddr, _: &str, _: Duration) -> bool {
        false
    }
}

fn delete(bridge: &str) -> SwitchStep {
    SwitchStep::DeleteBridge {
        bridge: bridge.to_owned(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_corrupt_record_leaves_no_other_unrecovered() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for text in ["", "{", "[1,2]", r#"{"bridge":"a","undo":"x"}"#] {
        write(folder, "br0", &[delete("br0")]).expect("written");
        write(folder, "br2", &[delete("br2")]).expect("written");
        fs::write(folder.join("br1.undo"), text).expect("written");
        let switches = Fake::refusing(None);
        let mut recovered = recover(folder, &switches).expect("readable");
        recovered.sort_by(|a, b| a.bridge.cmp(&b.bridge));
        assert_eq!(switches.done().len(), 2, "{text:?}");
        let bridges: Vec<&str> = recovered.iter().map(|one| &*one.bridge).collect();
        assert_eq!(bridges, ["br0", "br1", "br2"]);
        assert!(recovered[1].failed[0].starts_with("use its record"));
        // It is kept, and does not stand in the way.
        assert_eq!(names(folder), ["br1.undo.failed"]);
        fs::write(folder.join("br1.undo"), vec![b' '; 3 << 20]).expect("written");
        assert_eq!(recover(folder, &switches).expect("readable").len(), 1);
        write(folder, "br1", &[]).expect("the next change");
        fs::remove_file(folder.join("br1.undo")).expect("there");
    }
}

#[test]
fn what_could_not_be_undone_is_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let steps = [delete("a"), delete("b"), delete("c")];
    write(folder, "br0", &steps).expect("written");
    let refusing = Fake::refusing(Some(&steps[1]));
    let recovered = recover(folder, &refusing).expect("readable");
    assert_eq!(recovered[0].failed.len(), 1);
    assert_eq!(refusing.done().len(), 2);
    let works = Fake::refusing(None);
    assert_eq!(
        recover(folder, &works).expect("readable")[0].failed,
        [""; 0]
    );
    assert_eq!(works.done(), [steps[1].to_string()]);
    assert_eq!(names(folder), [""; 0]);

    write(folder, "br0", &steps).expect("written");
    for _ in 0..TRIES {
        let recovered = recover(folder, &refusing).expect("readable");
        assert!(!recovered[0].failed.is_empty());
    }
    assert_eq!(recover(folder, &refusing).expect("readable"), []);
    assert_eq!(names(folder), ["br0.undo.failed"]);
    write(folder, "br0", &steps).expect("the next change");
}
