//! Mistakes that administrators make, and what the program answers: the page is `wrong_uses.golden.md`.
//!
//! The program itself runs, in a folder with some files, beside an agent with a few VMs.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use accelnet_api::testing::{Authority, Fake, Fixed, Serving};
use accelnet_model::intent::{Intent, Role};
use accelnet_model::{VfSecurity, outside};
use accelnet_sim::{AdapterSpec, Port, SimHost, Tree};

/// A mistake: what it is, the command line, and what comes from standard input.
struct Use {
    mistake: &'static str,
    line: &'static str,
    input: &'static [u8],
    run: Run,
}

/// What is special about a run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Run {
    /// Nothing.
    Usual,
    /// The user is not root, and not in the group.
    Reader,
    /// The user's process has no permissions.
    Nobody,
    /// Output goes to a full device.
    Full,
}

const fn used(mistake: &'static str, line: &'static str) -> Use {
    Use {
        mistake,
        line,
        input: b"",
        run: Run::Usual,
    }
}

const fn piped(mistake: &'static str, line: &'static str, input: &'static [u8]) -> Use {
    Use {
        input,
        ..used(mistake, line)
    }
}

const fn run(mistake: &'static str, line: &'static str, run: Run) -> Use {
    Use {
        run,
        ..used(mistake, line)
    }
}

const NAMES: &[Use] = &[
    used("A VM's name without its zero", "accelnet vm show web1"),
    used("A VM's name in capitals", "accelnet vm show DB01"),
    used(
        "A VM that nothing is like",
        "accelnet vm disable mailserver",
    ),
    used(
        "A pattern that matches nothing",
        "accelnet vm enable 'app*' --performance low",
    ),
    used("An empty name", "accelnet vm enable '' --performance low"),
    used(
        "A name with control characters",
        "accelnet vm show 'web\u{1b}[2J\u{202e}01'",
    ),
    used(
        "An intent in another case",
        "accelnet enable --intent myintent",
    ),
    used(
        "An intent with a letter too many",
        "accelnet intent show MyIntentt",
    ),
    used(
        "An adapter with a digit too many",
        "accelnet adapter show ens11 --root tree",
    ),
    used(
        "A node's name that cannot be one",
        "accelnet node undrain node_1",
    ),
    used(
        "A code with two letters swapped",
        "accelnet explain vm_not_fuond",
    ),
    used("An exit status that no code has", "accelnet explain 250"),
    used(
        "A profile that does not exist",
        "accelnet status --profile productoin",
    ),
    piped("Names from an empty pipe", "accelnet vm disable -", b""),
    piped(
        "Names that are not text",
        "accelnet vm disable -",
        b"web01\n\xff\xfe\n",
    ),
    piped("A name with a NUL", "accelnet vm disable -", b"web01\0\n"),
    used("An empty name of a node", "accelnet vm list --node ''"),
    used(
        "A node's name with a blank",
        "accelnet vm list --node 'node 1'",
    ),
    used("A VM's name as an emoji", "accelnet vm show '\u{1f642}'"),
    used("A VM's name with a blank", "accelnet vm show 'web 01'"),
    used(
        "A VM's name that begins with a hyphen",
        "accelnet vm disable -- -web01",
    ),
    used(
        "Names with commas between",
        "accelnet vm disable 'web01,web02'",
    ),
    used("An empty name of an intent", "accelnet enable --intent ''"),
    used(
        "An intent's name as a path",
        "accelnet intent add ../lan --compute --adapter ens2",
    ),
    used("An empty name in a list", "accelnet vm list --name ','"),
    used(
        "An empty name of an adapter",
        "accelnet adapter show '' --root tree",
    ),
    used(
        "An address without an adapter",
        "accelnet adapter show 0000:99:00.0 --root tree",
    ),
    used(
        "An adapter twice in an intent",
        "accelnet intent add lan2 --compute --adapter ens2,ens2",
    ),
    used("An empty code", "accelnet explain ''"),
    used("A part of a UUID", "accelnet vm show ac0e1ab5-0000"),
    piped(
        "Names as JSON",
        "accelnet vm disable -",
        b"[{\"name\": \"web01\"}]\n",
    ),
    used(
        "An adapter twice",
        "accelnet adapter enable ens9 ens9 --dry-run --root tree",
    ),
    used(
        "A node that does not exist, for events",
        "accelnet log --node node9",
    ),
    used(
        "A node with blanks for a cluster",
        "accelnet cluster join --store etcd://127.0.0.1:1 --node 'a b'",
    ),
    used("An agent without a name", "accelnet agent --node ''"),
];

const NUMBERS: &[Use] = &[
    used("No VFs", "accelnet adapter enable ens1 --vfs 0"),
    used(
        "A negative number of VFs",
        "accelnet adapter enable ens1 --vfs -1",
    ),
    used(
        "A number with a unit",
        "accelnet adapter enable ens1 --vfs 16k",
    ),
    used(
        "A number of 20 digits",
        "accelnet adapter enable ens1 --vfs 99999999999999999999",
    ),
    used(
        "A fraction",
        "accelnet intent add lan2 --compute --adapter ens2 --vfs 1.5",
    ),
    used(
        "A time limit of zero",
        "accelnet adapter enable ens1 --timeout 0",
    ),
    used(
        "More events than can be shown",
        "accelnet log --limit 1000000",
    ),
    used("A reserve of all nodes", "accelnet set --node-reserve 100"),
    used("A negative reserve", "accelnet set --node-reserve -5"),
    used("A reserve with its unit", "accelnet set --node-reserve 50%"),
    used(
        "A reserve beyond 64 bits",
        "accelnet set --node-reserve 9223372036854775808",
    ),
    used(
        "Too many queue pairs",
        "accelnet set --performance-settings high=65:100",
    ),
    used(
        "A rate limit of zero",
        "accelnet set --performance-settings low=1:0",
    ),
    used(
        "A misspelt setting in --performance-settings",
        "accelnet set --performance-settings hihg=8:100",
    ),
    used(
        "High below Low",
        "accelnet set --performance-settings low=8:10",
    ),
    used(
        "A misspelt performance setting",
        "accelnet vm enable web01 --performance hihg",
    ),
    used(
        "A number with a percent sign",
        "accelnet adapter enable ens1 --vfs 50%",
    ),
    used(
        "A time limit with a unit",
        "accelnet adapter enable ens1 --timeout 5m",
    ),
    used(
        "A time limit of 30,000 years",
        "accelnet adapter enable ens1 --timeout 999999999999",
    ),
    used(
        "More VFs than a PF can have",
        "accelnet intent add lan2 --compute --adapter ens2 --vfs 99999",
    ),
    used("No events", "accelnet log --limit 0"),
    used(
        "A reserve in scientific notation",
        "accelnet set --node-reserve 5e1",
    ),
    used(
        "A reserve in other digits",
        "accelnet set --node-reserve '\u{665}\u{660}'",
    ),
    used(
        "A performance setting in percent",
        "accelnet vm enable web01 --performance 50%",
    ),
    used(
        "A rate limit with its unit",
        "accelnet set --performance-settings low=1:10%",
    ),
    used(
        "Queue pairs without a rate limit",
        "accelnet set --performance-settings low=1",
    ),
    used(
        "A performance setting that is given twice",
        "accelnet set --performance-settings low=1:10,low=2:20",
    ),
    used(
        "A time limit after a blank",
        "accelnet intent add lan2 --compute --adapter ens2 --wait 5",
    ),
    used(
        "A negative time limit",
        "accelnet intent add lan2 --compute --adapter ens2 --wait=-1",
    ),
    used(
        "Three numbers for a setting",
        "accelnet set --performance-settings high=4:100:3",
    ),
    used(
        "A comma at the end of settings",
        "accelnet set --performance-settings high=4:100,",
    ),
    used("A negative number for a code", "accelnet explain -1"),
];

const OPTIONS: &[Use] = &[
    used("A misspelt command", "accelnet vm enabel web01"),
    used("A command that does not exist", "accelnet start web01"),
    used("The command 'help'", "accelnet help"),
    used(
        "A misspelt option",
        "accelnet vm enable web01 --perfomance high",
    ),
    used(
        "An option of another command",
        "accelnet vm list --performance high",
    ),
    used(
        "An option before its command",
        "accelnet --output json vm list",
    ),
    used("A required option is missing", "accelnet vm enable web01"),
    used(
        "A required argument is missing",
        "accelnet vm enable --performance low",
    ),
    used("An argument too many", "accelnet vm list web01"),
    used("An option without its value", "accelnet vm list --output"),
    used(
        "An output format that does not exist",
        "accelnet vm list --output yaml",
    ),
    used(
        "An output format of other commands",
        "accelnet status --output name",
    ),
    used(
        "Two options that exclude each other",
        "accelnet vm list --accelerated --not-accelerated",
    ),
    used(
        "An option twice",
        "accelnet status --output json --output table",
    ),
    used(
        "A copy and an agent at once",
        "accelnet status --root tree --socket agent.sock",
    ),
    used(
        "A switch with a wrong value",
        "accelnet vm set web01 --trust maybe",
    ),
    used("A change of nothing", "accelnet intent set MyIntent"),
    used(
        "An intent without a role",
        "accelnet intent add lan2 --adapter ens2",
    ),
    used(
        "An intent's name with a blank",
        "accelnet intent add 'my lan' --compute --adapter ens2",
    ),
    used(
        "An etcd as a web address",
        "accelnet cluster init --store http://etcd1:2379",
    ),
    used("A port without an address", "accelnet agent --listen 7443"),
    used("A filter twice", "accelnet vm list --node n1 --node n2"),
    used(
        "A switch with a value",
        "accelnet vm list --accelerated=yes",
    ),
    used("A change of no setting of a VM", "accelnet vm set web01"),
    used("A change of no setting", "accelnet set"),
    used("VFs without an adapter", "accelnet adapter enable --vfs 3"),
    used(
        "An output format in capitals",
        "accelnet status --output JSON",
    ),
    used("Two output formats", "accelnet vm list --output table,json"),
    used("A command in capitals", "accelnet Status"),
    used(
        "A MAC address without its end",
        "accelnet vm enable web01 --performance low --mac 52:54:00:de",
    ),
    used("An empty word", "accelnet ''"),
    used(
        "A pattern for adapters",
        "accelnet adapter enable 'ens*' --dry-run --root tree",
    ),
    used(
        "A socket for a command that has none",
        "accelnet store check --socket agent.sock",
    ),
    used(
        "A setting twice",
        "accelnet vm enable --performance high web01 --performance low",
    ),
    used("On and off", "accelnet vm set web01 --trust on --trust off"),
    used(
        "An option of another command",
        "accelnet vm disable web01 --now",
    ),
    used("Two nodes at once", "accelnet node drain n1 n2"),
    used(
        "Two codes at once",
        "accelnet explain vm_not_found agent_busy",
    ),
    used("An argument for an option", "accelnet enable MyIntent"),
    used(
        "An adapter of another node",
        "accelnet prereq --adapter ens1 --node n1",
    ),
    used("A word for a color", "accelnet --color maybe status"),
    used(
        "A file and a copy",
        "accelnet capacity --from empty.json --root tree",
    ),
    used(
        "A certificate without its key",
        "accelnet cluster init --store etcd://127.0.0.1:1 --store-cert notes.txt",
    ),
];

const FILES: &[Use] = &[
    used(
        "A file that does not exist",
        "accelnet capacity --from cluster.jsn",
    ),
    used(
        "A folder instead of a file",
        "accelnet capacity --from tree",
    ),
    used(
        "A file that is not JSON",
        "accelnet capacity --from notes.txt",
    ),
    used(
        "A file that is not UTF-8",
        "accelnet capacity --from latin1.json",
    ),
    used("A file that is huge", "accelnet capacity --from huge.json"),
    used(
        "A file with a negative number",
        "accelnet capacity --from negative.json",
    ),
    used(
        "A file with a misspelt field",
        "accelnet capacity --from misspelt.json",
    ),
    used(
        "A copy that does not exist",
        "accelnet prereq --root /tmp/no-such-copy",
    ),
    used(
        "A change of a copy",
        "accelnet adapter enable ens1 --vfs 2 --root tree",
    ),
    used(
        "A command of the agent on a copy",
        "accelnet vm list --root tree",
    ),
    used(
        "A backup that is none",
        "accelnet store restore notes.txt --store ./store",
    ),
    run("Output to a full disk", "accelnet vm list", Run::Full),
    used("An empty file", "accelnet capacity --from empty.json"),
    piped("Empty input", "accelnet capacity --from -", b""),
    used("A file without a name", "accelnet capacity --from ''"),
    used(
        "A node twice in a file",
        "accelnet capacity --from twice.json",
    ),
    used(
        "A number of VFs in scientific notation",
        "accelnet capacity --from fraction.json",
    ),
    used(
        "A file instead of a copy",
        "accelnet prereq --root notes.txt",
    ),
    used(
        "A folder instead of a store",
        "accelnet store check --store tree",
    ),
    used(
        "A file instead of a folder",
        "accelnet cmdlets install --dir notes.txt",
    ),
    piped(
        "A comma too many",
        "accelnet capacity --from -",
        b"{\"nodes\": [],}\n",
    ),
    piped(
        "A field that is missing",
        "accelnet capacity --from -",
        b"{}\n",
    ),
    piped(
        "A field of another type",
        "accelnet capacity --from -",
        b"{\"nodes\": {}}\n",
    ),
    used(
        "A device instead of a file",
        "accelnet capacity --from /dev/zero",
    ),
    used(
        "A file that is no store",
        "accelnet store check --store notes.txt",
    ),
    used(
        "A store that does not exist",
        "accelnet store accept --store nosuch",
    ),
    used(
        "An empty backup",
        "accelnet store restore empty.json --store ./store",
    ),
    used(
        "A certificate that does not exist",
        "accelnet store check --store etcd://127.0.0.1:1 --store-ca nosuch.pem",
    ),
    used(
        "A folder that does not exist",
        "accelnet cmdlets remove --dir nosuch",
    ),
    used(
        "An agent with files that are no certificates",
        "accelnet agent --store ./made --serve made.sock --listen 127.0.0.1:0 --tls-cert notes.txt --tls-key notes.txt --tls-client-ca notes.txt",
    ),
];

const AGENTS: &[Use] = &[
    used("No agent runs", "accelnet status --socket gone.sock"),
    used(
        "A socket that is a file",
        "accelnet status --socket notes.txt",
    ),
    run(
        "No permission on the socket",
        "accelnet status --socket closed.sock",
        Run::Nobody,
    ),
    run(
        "A change by a reader",
        "accelnet vm disable web01",
        Run::Reader,
    ),
    used(
        "A server without a port",
        "accelnet status --server node1 --profile good",
    ),
    used(
        "A port where no agent listens",
        "accelnet status --server localhost:1 --profile good",
    ),
    used(
        "A certificate of another CA",
        "accelnet status --profile stranger",
    ),
    used(
        "A server with another CA",
        "accelnet status --profile doubter",
    ),
    used(
        "A certificate file that is none",
        "accelnet status --profile broken",
    ),
    used(
        "A remote server for a local command",
        "accelnet store check --server node1:7443",
    ),
    used("A socket that is a folder", "accelnet status --socket tree"),
    used(
        "A socket of a program that speaks no HTTP",
        "accelnet status --socket noise.sock",
    ),
    used(
        "A server that speaks no TLS",
        "accelnet status --profile noise",
    ),
    used(
        "An expired certificate",
        "accelnet status --profile expired",
    ),
    used(
        "A port beyond 65535",
        "accelnet status --server localhost:99999 --profile good",
    ),
    used(
        "A server over HTTP",
        "accelnet status --server http://localhost:7443 --profile good",
    ),
    used("An empty server", "accelnet status --server ''"),
    used("An empty profile", "accelnet status --profile ''"),
    used("A profile as a path", "accelnet status --profile ../good"),
];

/// The folder in which everything runs, and the agents beside it.
struct Place {
    folder: tempfile::TempDir,
    program: PathBuf,
    ports: [u16; 2],
    _agents: Vec<Serving>,
    _node: SimHost,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
        let adapter = AdapterSpec::igb("0000:01:00.0".parse().expect("an address"), "ens1");
        let port = Port::root("0000:00:01.0".parse().expect("an address"), 1, 2);
        let tree = Tree::new().port(port.adapter(adapter));
        let node = SimHost::boot(tree, path.join("tree")).expect("a node");
        let (agents, ports) = agents(path);
        files(path);
        Place {
            program: program(path),
            folder,
            ports,
            _agents: agents,
            _node: node,
        }
    }

    /// Runs the command line of `one`, and returns what it showed and its status.
    fn runs(&self, one: &Use) -> (String, Option<i32>) {
        let words = words(one.line);
        let mut command = Command::new(&self.program);
        let socket = match one.run {
            Run::Reader => "reader/agent.sock",
            _ => "agent.sock",
        };
        command
            .args(&words[1..])
            .current_dir(self.folder.path())
            .env_clear()
            .env("ACCELNET_SOCKET", socket)
            .env("XDG_CONFIG_HOME", ".")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if words
            .iter()
            .any(|word| *word == "--profile" || *word == "--server")
        {
            command.env_remove("ACCELNET_SOCKET");
        }
        if one.run == Run::Full {
            let full = fs::File::options().write(true).open("/dev/full");
            command.stdout(full.expect("/dev/full"));
        }
        let owner = fs::metadata(self.folder.path()).expect("a folder").uid();
        if one.run == Run::Nobody && owner == 0 {
            command.uid(65534);
        }
        let mut child = command.spawn().expect("a program");
        let mut input = child.stdin.take().expect("a pipe");
        // A program that reads nothing has ended already.
        drop(input.write_all(one.input));
        drop(input);
        let output = child.wait_with_output().expect("its end");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let shown = text(output.stdout) + &text(output.stderr);
        let shown = shown
            .replace(&format!(":{}", self.ports[0]), ":7443")
            .replace(&format!(":{}", self.ports[1]), ":25")
            .replace(self.folder.path().to_str().expect("a path"), "/home/anna");
        (shown, output.status.code())
    }
}

/// An agent on a socket, one whose user may only read, and one with TLS; its port, and that of a server of
/// another kind.
fn agents(folder: &Path) -> (Vec<Serving>, [u16; 2]) {
    let fake = Fake::default()
        .intents(&[Intent {
            name: "MyIntent".parse().expect("a name"),
            roles: vec![Role::Compute],
            adapters: vec!["ens1".to_owned()],
            vfs: None,
            security: VfSecurity::default(),
        }])
        .vms(&["web01", "web02", "web03", "db01"])
        .enabled("MyIntent");
    let fake = Arc::new(fake);
    let start = |folder: &Path, callers| {
        Serving::start_for(folder, fake.clone(), Arc::new(callers)).expect("a socket")
    };
    for name in ["reader", "far", "accelnet"] {
        fs::create_dir(folder.join(name)).expect("a folder");
    }
    let root = start(folder, Fixed::root());
    let reader = start(&folder.join("reader"), Fixed::onlooker());
    let (ca, other) = (Authority::new("the CA"), Authority::new("another CA"));
    let far = folder.join("far");
    let door = ca.door(&far).expect("files");
    let remote = Serving::start_far(&far, fake.clone(), &door).expect("a port");
    let port = remote.address().expect("an address").port();
    let noise = noise(folder);
    profiles(&folder.join("accelnet"), &ca, &other, port, noise);
    (vec![root, reader, remote], [port, noise])
}

/// A socket and a port that answer like a mail server, until the test ends.
fn noise(folder: &Path) -> u16 {
    /// It is polite and listens first.
    fn greet(mut caller: impl Read + Write) {
        drop(caller.read(&mut [0; 4096]));
        drop(caller.write_all(b"220 mail ready\r\n"));
    }
    let socket = UnixListener::bind(folder.join("noise.sock")).expect("a socket");
    std::thread::spawn(move || {
        socket.incoming().flatten().for_each(greet);
    });
    let door = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = door.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        door.incoming().flatten().for_each(greet);
    });
    port
}

fn profiles(folder: &Path, ca: &Authority, other: &Authority, port: u16, noise: u16) {
    let unit = Some("accelnet-administrator");
    ca.write(&folder.join("ca.pem")).expect("a file");
    other.write(&folder.join("other-ca.pem")).expect("a file");
    ca.expired("eve", unit).write(folder, "eve").expect("files");
    ca.client("anna", unit)
        .write(folder, "anna")
        .expect("files");
    other
        .client("mallory", unit)
        .write(folder, "mallory")
        .expect("files");
    fs::write(folder.join("broken.pem"), "no PEM\n").expect("a file");
    let mut text = String::new();
    for (name, authority, files) in [
        ("good", "ca", "anna"),
        ("production", "ca", "anna"),
        ("stranger", "ca", "mallory"),
        ("doubter", "other-ca", "anna"),
        ("broken", "ca", "broken"),
        ("expired", "ca", "eve"),
        ("noise", "ca", "anna"),
    ] {
        let port = if name == "noise" { noise } else { port };
        let key = if files == "broken" { "anna" } else { files };
        text.push_str(&format!(
            "[profiles.{name}]\nserver = \"localhost:{port}\"\nca = \"{authority}.pem\"\n\
             cert = \"{files}.pem\"\nkey = \"{key}.key\"\n\n"
        ));
    }
    fs::write(folder.join("profiles.toml"), text).expect("a file");
}

/// Files that are named by mistake.
fn files(folder: &Path) {
    let write = |name: &str, text: &[u8]| fs::write(folder.join(name), text).expect("a file");
    write("notes.txt", b"buy two more adapters\n");
    write("latin1.json", b"{\"nodes\": [{\"name\": \"k\xf6ln\"}]}\n");
    write(
        "negative.json",
        b"{\n  \"nodes\": [\n    {\"name\": \"n1\", \"adapters\": [{\"name\": \"pf0\", \"vfs\": -7}]}\n  ]\n}\n",
    );
    write(
        "misspelt.json",
        b"{\n  \"node_reserve\": 50,\n  \"nodes\": [{\"name\": \"n1\"}]\n}\n",
    );
    write("empty.json", b"");
    write(
        "twice.json",
        b"{\"nodes\": [{\"name\": \"n1\"}, {\"name\": \"n1\"}]}\n",
    );
    write(
        "fraction.json",
        b"{\"nodes\": [{\"name\": \"n1\", \"adapters\": [{\"name\": \"pf0\", \"vfs\": 1e9}]}]}\n",
    );
    let huge = fs::File::create(folder.join("huge.json")).expect("a file");
    huge.set_len(300 << 20).expect("a length");
    let closed = UnixListener::bind(folder.join("closed.sock"));
    drop(closed.expect("a socket"));
    let mode = fs::Permissions::from_mode(0o000);
    fs::set_permissions(folder.join("closed.sock"), mode).expect("a mode");
}

/// The program where every user can run it.
fn program(folder: &Path) -> PathBuf {
    let program = folder.join("accelnet-program");
    let built = env!("CARGO_BIN_EXE_accelnet");
    if fs::hard_link(built, &program).is_err() {
        fs::copy(built, &program).expect("a copy");
    }
    program
}

/// Words between blanks and single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, part) in line.split('\'').enumerate() {
        match place % 2 {
            1 => words.push(part.to_owned()),
            _ => words.extend(part.split_whitespace().map(str::to_owned)),
        }
    }
    words
}

/// The page of all mistakes.
fn page(place: &Place) -> String {
    let mut page = "# Wrong uses\n\nWritten by `crates/cli/tests/wrong_uses.rs`, which runs the program in a folder \
                    with some files, beside an\nagent with the VMs web01, web02, web03 and db01.\n"
        .to_owned();
    for (heading, uses) in [
        ("Names", NAMES),
        ("Numbers", NUMBERS),
        ("Commands and options", OPTIONS),
        ("Files", FILES),
        ("Agents", AGENTS),
    ] {
        page.push_str(&format!("\n## {heading}\n"));
        for one in uses {
            let (shown, status) = place.runs(one);
            let before = match (one.input, one.run) {
                (b"", Run::Usual) => String::new(),
                (b"", Run::Reader) => " (as a user who may only read)".to_owned(),
                (b"", Run::Nobody) => " (as a user without permissions)".to_owned(),
                (b"", Run::Full) => " > /dev/full".to_owned(),
                (input, _) => format!(" <<< {:?}", String::from_utf8_lossy(input)),
            };
            page.push_str(&format!(
                "\n### {}\n\n```console\n$ {}{before}\n{shown}[exit {}]\n```\n",
                one.mistake,
                outside::escaped(one.line),
                status.map_or_else(|| "by a signal".to_owned(), |status| status.to_string()),
            ));
        }
    }
    page
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the developer's wish to refresh the page is in the environment"
)]
fn every_wrong_use_is_answered_with_a_cause_and_a_hint() {
    let place = Place::new();
    let page = page(&place);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wrong_uses.golden.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).expect("a page that can be written");
    }
    let mut uses = 0;
    for block in page.split("\n### ").skip(1) {
        uses += 1;
        let failed = !block.contains("[exit 0]") && !block.contains("by a signal");
        assert!(failed, "{block}");
        for label in ["\nerror: ", "\n  cause:", "\n  hint:"] {
            assert!(block.contains(label), "no {label:?} in {block}");
        }
        assert!(!block.contains("panicked"), "{block}");
    }
    assert!(uses >= 40, "{uses} uses");
    // Who fails leaves nothing behind.
    for made in ["made", "made.sock", "store"] {
        assert!(!place.folder.path().join(made).exists(), "{made}");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    let lines = recorded.lines().zip(page.lines());
    let other: Vec<String> = lines
        .filter(|(before, now)| before != now)
        .take(10)
        .map(|(before, now)| format!("- {before}\n+ {now}"))
        .collect();
    assert!(
        recorded == page,
        "wrong_uses.golden.md is not what is shown now:\n{}\nIf the new words are better, refresh it: \
         UPDATE_GOLDEN=1 cargo test -p accelnet --test wrong_uses",
        other.join("\n")
    );
}
