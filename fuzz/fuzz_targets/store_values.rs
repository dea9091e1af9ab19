//! Keys and values of the store, and files that an agent keeps of it: each is read or refused with a reason that
//! can be printed, and what was read names files in their own folder only.

#![no_main]

use std::path::Path;

use accelnet_agent::check::{KEYS, judge};
use accelnet_agent::cluster::backup::Backup;
use accelnet_agent::unread;
use accelnet_model::hook_config::{outcome_file, pool_file, config_file};
use accelnet_model::{Intent, IntentName, VmSetting};
use accelnet_store::Entry;
use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;

fuzz_target!(|data: &[u8]| {
    for key in KEYS.map(|kind| kind.example) {
        judged(key.to_owned(), data.to_vec());
        judged(key.to_owned(), [br#"{"format":1,"value":"#, data, b"}"].concat());
    }
    for (place, _) in data.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        let (key, value) = data.split_at(place);
        judged(String::from_utf8_lossy(key).into_owned(), value.to_vec());
    }
    if let Ok(key) = std::str::from_utf8(data) {
        drop(IntentName::of_pool(key));
    }
    if let Ok(backup) = Backup::read(data) {
        let text = serde_json::to_vec(&backup).expect("JSON");
        assert_eq!(Backup::read(&text), Ok(backup));
    }
    stay_in_their_folder(data);
});

fn judged(key: String, value: Vec<u8>) {
    let entry = Entry {
        key,
        value,
        create_revision: 1,
        mod_revision: 1,
        version: 1,
        lease: None,
    };
    let found: Vec<_> = judge(&entry).into_iter().collect();
    for problem in unread::problems(&found) {
        let plain = |text: &str| !text.chars().any(accelnet_model::outside::is_hidden);
        assert!(plain(&problem.message), "{problem:?}");
        assert!(plain(&problem.found), "{problem:?}");
    }
}

fn read<T: DeserializeOwned>(data: &[u8]) -> Option<T> {
    serde_json::from_slice(data).ok()
}

fn stay_in_their_folder(data: &[u8]) {
    let folder = Path::new("/run/accelnet/vms");
    if let Some(vm) = read::<VmSetting>(data) {
        for file in [config_file(folder, &vm.uuid), outcome_file(folder, &vm.uuid)] {
            assert_eq!(file.parent(), Some(folder), "{vm:?}");
        }
    }
    if let Some(intent) = read::<Intent>(data) {
        assert_eq!(pool_file(folder, &intent.name).parent(), Some(folder));
    }
}
