//! DHCP clients that run.

use accelnet_pci::Root;

/// Programs that renew leases, as the kernel calls their processes.
const PROGRAMS: &[&str] = &["dhclient", "dhcpcd", "udhcpc", "pump", "busybox"];

/// A client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The program.
    pub name: String,
    /// The process.
    pub process: u32,
    /// What stands in its command line after the program.
    words: Vec<String>,
    /// The links that it has leases of, where its command line names none.
    leased: Vec<String>,
}

impl Client {
    /// Whether it renews leases of `link`.
    pub fn serves(&self, link: &str) -> bool {
        // `-i eth0` and `-ieth0` of udhcpc; dhcpcd calls its processes `dhcpcd: eth0 [ip4]`.
        let names = |word: &String| word == link || word.strip_prefix("-i") == Some(link);
        self.words.iter().any(names) || self.leased.iter().any(|leased| leased == link)
    }
}

/// The DHCP clients that run on the node, in the order of their processes.
pub fn clients(root: &Root) -> Vec<Client> {
    let processes = root.names("/proc").unwrap_or_default();
    let mut processes: Vec<u32> = processes
        .iter()
        .filter_map(|name| name.parse().ok())
        .collect();
    processes.sort_unstable();
    let mut clients = Vec::new();
    for process in processes {
        let comm = root.text(&format!("/proc/{process}/comm"));
        if comm.is_ok_and(|comm| PROGRAMS.contains(&comm.as_str())) {
            clients.extend(client(root, process));
        }
    }
    clients
}

fn client(root: &Root, process: u32) -> Option<Client> {
    let line = root.read(&format!("/proc/{process}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).replace('\0', " ");
    let mut words = line.split_whitespace().map(str::to_owned);
    let program = words.next()?;
    let mut name = program.rsplit('/').next()?.trim_end_matches(':').to_owned();
    if name == "busybox" {
        name = words.next()?;
        if name != "udhcpc" {
            return None;
        }
    }
    let words: Vec<String> = words.collect();
    // Without a link on its command line it serves all links.
    let leased = match name.as_str() {
        "dhcpcd" => leases_of_dhcpcd(root),
        "dhclient" => leases_of_dhclient(root),
        _ => Vec::new(),
    };
    Some(Client {
        name,
        process,
        words,
        leased,
    })
}

/// `/var/lib/dhcpcd/eth0.lease`, or `/var/lib/dhcpcd/dhcpcd-eth0.lease` of version 6.
fn leases_of_dhcpcd(root: &Root) -> Vec<String> {
    let names = root.names("/var/lib/dhcpcd").unwrap_or_default();
    let links = names.iter().filter_map(|name| name.strip_suffix(".lease"));
    links
        .map(|name| name.strip_prefix("dhcpcd-").unwrap_or(name).to_owned())
        .collect()
}

/// The links that the common file of leases names (`dhclient.leases(5)`).
fn leases_of_dhclient(root: &Root) -> Vec<String> {
    let places = ["/var/lib/dhcp", "/var/lib/dhclient"];
    let texts = places.map(|place| root.text(&format!("{place}/dhclient.leases")));
    let lines = texts.iter().flatten().flat_map(|text| text.lines());
    let links = lines.filter_map(|line| line.trim().strip_prefix("interface "));
    let mut links: Vec<String> = links
        .map(|link| link.trim_matches([' ', '"', ';']).to_owned())
        .collect();
    links.sort();
    links.dedup();
    links
}
