use super::last_messages;

const LOG: &str = "\
2026-11-29 17:00:00.000+0000: starting up libvirt version: 11.3.0, qemu version: 10.0.2
LC_ALL=C \\
/usr/bin/qemu-system-x86_64 \\
-name guest=old,debug-threads=on \\
-device '{\"driver\":\"vfio-pci\",\"failover_pair_id\":\"ua-nic\"}'
2026-11-29T17:00:01.000000Z qemu-system-x86_64: vfio 0000:01:10.0: an older start
2026-11-29 18:00:00.000+0000: starting up libvirt version: 11.3.0, qemu version: 10.0.2
/usr/bin/qemu-system-x86_64 \\
-device '{\"driver\":\"vfio-pci\",\"failover_pair_id\":\"ua-nic\"}'
";

#[test]
fn the_last_words_about_a_vf_are_found() {
    assert_eq!(
        last_messages(LOG),
        None,
        "neither an older start nor the command line"
    );
    let refused = format!(
        "{LOG}2026-11-29T18:00:02.131Z qemu-system-x86_64: failover primary device must be on PCIExpress bus\n\
         2026-11-29T18:00:03.131Z qemu-system-x86_64: terminating on signal 15\n"
    );
    let words = "failover primary device must be on PCIExpress bus";
    assert_eq!(last_messages(&refused).as_deref(), Some(words));
    let warned = format!("{LOG}2026-11-29T18:00:02Z qemu-kvm: warning: {words}\n");
    assert_eq!(last_messages(&warned), Some(format!("warning: {words}")));
}

#[test]
fn what_a_terminal_acts_on_is_escaped_and_long_words_end() {
    let log = "2026Z qemu-system-x86_64: vfio \u{1b}[31m\u{202e}x";
    assert_eq!(
        last_messages(log).as_deref(),
        Some("vfio \\u{1b}[31m\\u{202e}x")
    );
    let long = format!("2026Z qemu-system-x86_64: vfio {}", "x".repeat(5000));
    let quoted = last_messages(&long).expect("words");
    assert!(quoted.len() < 320 && quoted.ends_with("..."), "{quoted}");
}
