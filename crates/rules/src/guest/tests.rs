use super::*;

fn found(system: &System) -> Option<String> {
    warning("web1", system).map(|problem| {
        assert_eq!(problem.code, Code::GuestUnknown);
        problem.found
    })
}

#[test]
fn linux_is_known_by_id_or_by_its_kernels_version_and_not_by_a_number() {
    let debian = System::of_agent("debian", "6.12.48-amd64", "#1 SMP PREEMPT_DYNAMIC");
    assert_eq!(found(&debian), None);
    let homemade = System::of_agent("myos", "6.1.0", "#42 SMP");
    assert_eq!(found(&homemade), None);
    let bsd = System::of_agent(
        "freebsd",
        "14.1-RELEASE",
        "FreeBSD 14.1-RELEASE releng/14.1",
    );
    assert!(found(&bsd).is_some_and(|found| found.contains("vtnet")));
    let solaris = System::of_agent("solaris", "5.11", "11.4.0.15.0");
    assert!(found(&solaris).is_some_and(|found| found.contains("solaris 5.11")));
}

#[test]
fn an_old_linux_has_no_failover() {
    let old = System::of_agent("centos", "3.10.0-1160.el7", "#1 SMP");
    assert!(found(&old).is_some_and(|found| found.contains("Linux 3.10.0")));
}

#[test]
fn what_windows_does_is_reported() {
    for windows in [
        System::of_agent("mswindows", "20348", "10.0"),
        System::of_url("http://microsoft.com/win/2k22"),
    ] {
        let problem = warning("web1", &windows).expect("a warning");
        assert!(problem.found.contains("no link until"), "{problem:?}");
        assert!(problem.resolution.contains("vioprot.inf"));
    }
}

#[test]
fn metadata_names_the_system() {
    let linux = [
        "http://debian.org/debian/13",
        "http://ubuntu.com/ubuntu/24.04",
        "http://oracle.com/ol/9.4",
        "http://libosinfo.org/linux/2022",
        "https://fedoraproject.org/coreos/stable",
    ];
    for url in linux {
        assert_eq!(System::of_url(url), System::Linux(None), "{url}");
    }
    let others = [
        "http://freebsd.org/freebsd/14.1",
        "http://openbsd.org/openbsd/7.6",
        "http://netbsd.org/netbsd/10",
        "http://apple.com/macosx/10.7",
        "http://oracle.com/solaris/11.4",
        "http://notdebian.org/x",
    ];
    for url in others {
        assert!(matches!(System::of_url(url), System::Other(_)), "{url}");
        assert!(found(&System::of_url(url)).is_some());
    }
}
