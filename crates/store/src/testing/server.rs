//! One etcd in a folder of its own, on ports that no other process has.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{until, wait};
use crate::{Etcd, EtcdAddress};

/// How often a start is tried: another process may take a port in between.
const TRIES: usize = 5;

/// A running etcd with one member.
pub struct EtcdServer {
    folder: TempDir,
    arguments: Vec<String>,
    port: u16,
    child: Option<Child>,
}

impl EtcdServer {
    /// Starts one.
    ///
    /// # Panics
    ///
    /// There is no etcd on this machine, or it does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more arguments.
    ///
    /// # Panics
    ///
    /// As [`EtcdServer::start`].
    pub fn start_with(arguments: &[&str]) -> Self {
        let mut server = Self {
            folder: folder(),
            arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            port: 0,
            child: None,
        };
        for _ in 0..TRIES {
            server.port = free_port();
            if server.try_start() {
                return server;
            }
        }
        panic!("etcd does not start: {}", server.log());
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Its address, with keys below `prefix`.
    pub fn address(&self, prefix: &str) -> EtcdAddress {
        let text = format!("etcd://127.0.0.1:{}/{prefix}", self.port);
        text.parse().expect("an address")
    }

    /// A store in it.
    pub fn store(&self, prefix: &str) -> Etcd {
        Etcd::open(&self.address(prefix), None).expect("a store")
    }

    /// Its process, stopped as by `SIGSTOP`: connections stay, and nothing answers.
    ///
    /// # Panics
    ///
    /// It does not stop: a signal is delivered a moment after it was sent, to each thread.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
        assert!(
            until(|| self.is_stopped()),
            "etcd goes on after it was stopped"
        );
    }

    /// Whether none of its threads runs (`proc_pid_stat(5)`: state `T`).
    fn is_stopped(&self) -> bool {
        let Some(child) = &self.child else {
            return true;
        };
        let tasks = std::fs::read_dir(format!("/proc/{}/task", child.id()));
        tasks.is_ok_and(|tasks| {
            tasks.flatten().all(|task| {
                let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
                let state = stat.rsplit_once(") ").map(|(_, rest)| rest);
                state.is_none_or(|state| state.starts_with('T'))
            })
        })
    }

    /// Lets a paused one go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("it ended");
        }
    }

    /// Starts it again with what it had, on the same port.
    ///
    /// # Panics
    ///
    /// It does not start.
    pub fn start_again(&mut self) {
        self.kill();
        for _ in 0..TRIES {
            if self.try_start() {
                return;
            }
            wait(Duration::from_millis(200));
        }
        panic!("etcd does not start again: {}", self.log());
    }

    /// Its state, as a copy of its files; it is killed and started again for that.
    ///
    /// # Panics
    ///
    /// It does not start, or cannot be copied.
    pub fn snapshot(&mut self) -> TempDir {
        self.kill();
        let copy = folder();
        copied(&self.folder.path().join("data"), &copy.path().join("data"));
        self.start_again();
        copy
    }

    /// Puts its state of a `snapshot` back, as a restore of a backup does.
    ///
    /// # Panics
    ///
    /// As [`EtcdServer::snapshot`].
    pub fn set_back(&mut self, snapshot: &TempDir) {
        self.kill();
        let data = self.folder.path().join("data");
        std::fs::remove_dir_all(&data).expect("removed");
        copied(&snapshot.path().join("data"), &data);
        self.start_again();
    }

    /// Saves a snapshot of its state to `file`, as an administrator makes a backup.
    ///
    /// # Panics
    ///
    /// As [`EtcdServer::etcdctl`].
    pub fn save_snapshot(&self, file: &Path) {
        self.etcdctl(&["snapshot", "save", &file.to_string_lossy()]);
    }

    /// Has its state restored from a snapshot in `file` by etcd's own tool, and starts it again.
    ///
    /// # Panics
    ///
    /// There is no such tool, it fails, or the server does not start.
    pub fn restore_snapshot(&mut self, file: &Path) {
        self.kill();
        let data = self.folder.path().join("data");
        std::fs::remove_dir_all(&data).expect("removed");
        let peer = format!("http://127.0.0.1:{}", free_port());
        // Releases before 3.6 have it in etcdctl.
        let tool = found("etcdutl").unwrap_or_else(|| program("etcdctl"));
        let output = Command::new(tool)
            .env("ETCDCTL_API", "3")
            .args(["snapshot", "restore"])
            .arg(file)
            .args(["--name", "test", "--data-dir"])
            .arg(&data)
            .args(["--initial-cluster", &format!("test={peer}")])
            .args(["--initial-advertise-peer-urls", &peer])
            .output()
            .expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "snapshot restore: {error}");
        self.start_again();
    }

    /// What `etcdctl` would do: `words` over this server's own API.
    ///
    /// # Panics
    ///
    /// There is no etcdctl, or it fails.
    pub fn etcdctl(&self, words: &[&str]) -> String {
        let endpoint = format!("--endpoints=http://127.0.0.1:{}", self.port);
        let output = Command::new(program("etcdctl"))
            .env("ETCDCTL_API", "3")
            .arg(endpoint)
            .args(words)
            .output()
            .expect("etcdctl runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "etcdctl {words:?}: {error}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn try_start(&mut self) -> bool {
        let client = format!("http://127.0.0.1:{}", self.port);
        let client = match self.arguments.iter().any(|word| word == "--cert-file") {
            true => client.replace("http", "https"),
            false => client,
        };
        let peer = format!("http://127.0.0.1:{}", free_port());
        let log = std::fs::File::create(self.log_file()).expect("a log");
        let mut child = Command::new(program("etcd"))
            .args(["--name", "test", "--data-dir"])
            .arg(self.folder.path().join("data"))
            .args(["--listen-client-urls", &client])
            .args(["--advertise-client-urls", &client])
            .args(["--listen-peer-urls", &peer])
            .args(["--initial-advertise-peer-urls", &peer])
            .args(["--initial-cluster", &format!("test={peer}")])
            .args(["--heartbeat-interval", "100", "--election-timeout", "500"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("etcd starts");
        let log_file = self.log_file();
        let mut ready = false;
        let told = until(|| {
            let log = std::fs::read_to_string(&log_file).unwrap_or_default();
            ready = log.contains("ready to serve client requests");
            ready || child.try_wait().is_ok_and(|ended| ended.is_some())
        });
        if told && ready {
            self.child = Some(child);
            return true;
        }
        drop(child.kill());
        drop(child.wait());
        false
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        let pid = Pid::from_child(child);
        kill_process(pid, signal).expect("a signal");
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for EtcdServer {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// In memory where there is room: a server that syncs a busy disk for each change is slow.
fn folder() -> TempDir {
    const NEEDED_BYTES: u64 = 1 << 30;
    let memory = Path::new("/dev/shm");
    let roomy = rustix::fs::statvfs(memory)
        .is_ok_and(|room| room.f_bavail.saturating_mul(room.f_frsize) > NEEDED_BYTES);
    let made = match roomy {
        true => TempDir::new_in(memory),
        false => TempDir::new(),
    };
    made.expect("a folder")
}

fn copied(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(
        done.expect("cp runs").success(),
        "{} is copied",
        from.display()
    );
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The machine's own, or what `cargo xtask test` laid below `target`.
fn program(name: &str) -> PathBuf {
    found(name).unwrap_or_else(|| {
        panic!("this test needs {name}: 'cargo xtask test' fetches it, or install Debian's etcd-server and etcd-client")
    })
}

fn found(name: &str) -> Option<PathBuf> {
    let paths = option_env!("PATH").unwrap_or("/usr/bin");
    let own = std::env::split_paths(paths).map(|folder| folder.join(name));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let laid = workspace.join("target/tools/bin").join(name);
    let mut places = own.chain([laid]);
    places.find(|path| path.exists())
}
