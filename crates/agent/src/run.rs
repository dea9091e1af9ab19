//! An agent at work: its mind, its ears, and its socket.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use accelnet_api::Server;
use accelnet_api::server::{Remote, RemoteOptions, SocketCallers, Stopper};
use accelnet_api::types::EventKind;
use accelnet_host::vms::{DomainChange, VmEvent};
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, NodeName, Problem};
use accelnet_netlink::{FdbMonitor, Monitor, Uevents};
use accelnet_rules::vf_path::Limits;
use accelnet_store::{Etcd, EtcdAddress, EtcdTls, Store, StoreError};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cluster::last_reports::LastReports;
use crate::cluster::nodes::Nodes;
use crate::cluster::{Link, Linked, Liveness, Observing};
use crate::core::Core;
use crate::edge::{Edge, System};
use crate::mind::{Inbox, Message, inbox, think};
use crate::orders::{self, Asker, Orders};
use crate::policy::{POLICY, store_failed};
use crate::reopened::Reopened;
use crate::service::Agent;
use crate::unread::Seldom;
use crate::view::Picture;
use crate::vital::{self, End, Vital};

/// How long an ear listens at once.
const LISTEN: Duration = Duration::from_secs(3600);
/// How long an ear for this machine that could not listen waits.
const DEAF: Duration = Duration::from_secs(60);
/// The same of an ear for the store, which may be away for a moment.
const OUT_OF_TOUCH: Duration = Duration::from_secs(5);

/// What an agent is told when it starts.
#[derive(Debug, Clone)]
pub struct Options {
    /// The node's name.
    pub node: NodeName,
    /// The store.
    pub store: StoreChoice,
    /// The socket.
    pub socket: PathBuf,
    /// The door to the network, if it is to have one.
    pub remote: Option<RemoteOptions>,
    /// For the lab: the step before which it kills itself, after so many passings.
    pub kill_at: Option<(String, u32)>,
    /// How long guests may take to drive their VFs.
    pub limits: Limits,
}

/// Which store an agent has.
#[derive(Debug, Clone)]
pub enum StoreChoice {
    /// A file of its own: a cluster of one.
    File(PathBuf),
    /// An etcd, with others.
    Etcd {
        /// Where it is.
        address: EtcdAddress,
        /// Whom to believe, and who this is.
        tls: Option<EtcdTls>,
        /// Where what was read last is kept.
        remembered: PathBuf,
    },
}

/// Where what was read last of the store in the file at `path` is kept.
pub fn remembered_beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".last-read");
    PathBuf::from(beside)
}

/// A store as an agent has it.
#[derive(Clone)]
pub struct Place {
    store: Arc<dyn Store>,
    link: Option<Arc<Link>>,
    shared: bool,
    /// What was found when it was opened, a sentence each.
    noticed: Vec<String>,
}

impl Place {
    /// A store that nobody else has.
    pub fn own(store: Arc<dyn Store>) -> Self {
        Place {
            store,
            link: None,
            shared: false,
            noticed: Vec::new(),
        }
    }

    /// A store that several agents of this process have.
    pub fn shared(store: Arc<dyn Store>) -> Self {
        Place {
            shared: true,
            ..Place::own(store)
        }
    }

    /// A store that is reached over a network, and may be cut off.
    pub fn linked(store: Linked) -> Self {
        Place {
            link: Some(store.link()),
            shared: true,
            noticed: Vec::new(),
            store: Arc::new(store),
        }
    }

    /// Opens what was chosen, for the node called `node`.
    ///
    /// # Errors
    ///
    /// A file that is none, or certificates that cannot be read.
    pub fn open(choice: &StoreChoice, node: &str) -> Result<Self, Problem> {
        match choice {
            StoreChoice::File(path) => {
                let store = Reopened::open(path).map_err(|error| store_failed(&error))?;
                let noticed = store.noticed().into_iter().collect();
                let file = Some(remembered_beside(path));
                let linked = Linked::new(Arc::new(store), node, file, Arc::new(SystemClock));
                Ok(Place {
                    shared: false,
                    noticed,
                    ..Place::linked(linked)
                })
            }
            StoreChoice::Etcd {
                address,
                tls,
                remembered,
            } => {
                let store = Etcd::open(address, tls.as_ref());
                let store = store.map_err(|error| store_failed(&error))?;
                let file = Some(remembered.clone());
                let linked = Linked::new(Arc::new(store), node, file, Arc::new(SystemClock));
                Ok(Place::linked(linked))
            }
        }
    }
}

/// An agent that runs, until this is dropped or stopped.
pub struct Running {
    stopper: Stopper,
    inbox: Inbox,
    threads: Vec<thread::JoinHandle<()>>,
    picture: Arc<RwLock<Arc<Picture>>>,
    _liveness: Option<Liveness>,
}

impl Running {
    /// What ends it from elsewhere.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Revision of the policy that its node was brought to.
    pub fn applied_revision(&self) -> u64 {
        let picture = self.picture.read();
        let picture = picture.unwrap_or_else(PoisonError::into_inner);
        picture.applied_revision
    }

    /// Waits until its socket is closed.
    pub fn wait(mut self) {
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        self.inbox.put(Message::Stop);
    }
}

/// Runs the agent of this machine until it is told to end.
///
/// # Errors
///
/// The store or the socket cannot be had.
pub fn run(options: &Options) -> Result<(), Problem> {
    raise_descriptors();
    vital::log_panics();
    let edge = System::new(options.kill_at.clone(), options.limits);
    // Before anything is created: certificates that cannot be used leave nothing behind.
    let remote = options.remote.as_ref().map(Remote::bind).transpose()?;
    let mut place = Place::open(&options.store, options.node.as_str())?;
    place.noticed.extend(recover_switches());
    let server = Server::bind(&options.socket).map_err(|error| {
        let socket = options.socket.display().to_string();
        Problem::new(
            Code::AgentUnreachable,
            &[&socket],
            format!("It failed to serve {error}."),
        )
    })?;
    let server = match remote {
        Some(remote) => server.with(remote),
        None => server,
    };
    let running = start(Box::new(edge), place, options.node.as_str(), server, true)?;
    end_on_signal(running.stopper());
    running.wait();
    Ok(())
}

/// Starts an agent on `edge`. It answers when its adapters and switches are as the policy
/// wants them; libvirt, whose own start may wait for that, is asked after it.
///
/// # Errors
///
/// No thread is to be had.
pub fn start(
    edge: Box<dyn Edge>,
    place: Place,
    node: &str,
    server: Server,
    listen: bool,
) -> Result<Running, Problem> {
    let clock: Arc<dyn Clock + Send + Sync> = Arc::new(SystemClock);
    let (box_, messages) = inbox();
    let end = match edge.is_simulated() {
        true => vital::socket(server.stopper()),
        false => vital::process(),
    };
    let Place {
        store,
        link,
        shared,
        noticed,
    } = place;
    let liveness = match shared {
        true => {
            let begun = Liveness::begin(store.clone(), node, &*clock, link.clone(), &end);
            let begun = begun.map_err(no_thread)?;
            let observing = Observing {
                store: store.clone(),
                node: node.to_owned(),
                clock: clock.clone(),
                lease: begun.lease(),
            };
            hear("nodes", OUT_OF_TOUCH, &end, move |_| {
                observing.go_on(LISTEN)
            });
            Some(begun)
        }
        false => None,
    };
    let mut core = Core::new(edge, store.clone(), node);
    let picture = core.picture();
    if let Some(link) = &link {
        core.reaches_by(link.clone());
        let inbox = box_.clone();
        link.when_back(Box::new(move |was| {
            let job = Box::new(move |core: &mut Core| core.back_in_touch(&was));
            inbox.put(Message::Do(job));
        }));
    }
    for noticed in noticed {
        core.tell(EventKind::Noticed, node, noticed);
    }
    core.libvirt_may_be_asked = false;
    // What could not be done stands in the statuses, and is tried again.
    drop(core.pass());
    let agent = Agent {
        inbox: box_.clone(),
        picture: picture.clone(),
        policies: core.policies.clone(),
        reports: core.reports(),
        journal: core.journal.clone(),
        nodes: Nodes::new(store.clone(), node),
        last_reports: LastReports::default(),
        link,
        clock: clock.clone(),
        seldom: Seldom::new(store.clone(), node, clock.clone()),
        unreadable_since: Mutex::default(),
        asker: liveness.as_ref().and_then(|liveness| {
            let node = node.parse().ok()?;
            Some(Asker::new(
                store.clone(),
                node,
                liveness.lease(),
                clock.clone(),
            ))
        }),
    };
    tell_systemd("READY=1");
    let mut ears = Vec::new();
    if listen {
        listen_to_kernel(&box_, &end);
        listen_to_bridges(&box_, &end);
    }
    if shared {
        orders::listen(&box_, Orders::new(store.clone(), node), &end);
    }
    listen_to_policy(&box_, store, &end);
    let to_core = box_.clone();
    let vital = Vital::new(&end);
    let to_end = end.clone();
    let mind = thread::Builder::new()
        .name("mind".to_owned())
        .spawn(move || {
            // A local: dropped before what the thread was given.
            let vital = vital;
            let handle = listen_to_libvirt(&core, &to_core, &to_end);
            core.libvirt_may_be_asked = true;
            let passed = core.pass();
            // What only work needed, most of it of a library that a simulated node has no use for.
            let simulated = core.edge.is_simulated();
            let rest = move || {
                if !simulated {
                    accelnet_libvirt::give_back();
                }
            };
            rest();
            if passed.is_err() || core.has_failures() {
                to_core.put(Message::Look);
            }
            think(
                core,
                &messages,
                &clock,
                &|| tell_systemd("WATCHDOG=1"),
                &rest,
                vital,
            );
            drop(handle);
        });
    ears.push(mind.map_err(no_thread)?);
    let stopper = server.stopper();
    let vital = Vital::new(&end);
    let socket = thread::Builder::new().name("socket".to_owned()).spawn({
        let inbox = box_.clone();
        move || {
            let _vital = vital;
            let served = server.run(Arc::new(agent), Arc::new(SocketCallers::default()));
            if let Err(error) = served {
                eprintln!("the socket is closed: {error}");
            }
            inbox.put(Message::Stop);
        }
    });
    ears.push(socket.map_err(no_thread)?);
    Ok(Running {
        stopper,
        inbox: box_,
        threads: ears,
        picture,
        _liveness: liveness,
    })
}

fn no_thread(error: std::io::Error) -> Problem {
    Problem::new(
        Code::AgentUnreachable,
        &["its socket"],
        format!("No thread is to be had: {error}."),
    )
}

/// As many files may be open as the unit or the user lets: all places of both doors take hundreds.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    let most = Rlimit {
        current: limit.maximum,
        ..limit
    };
    // What the kernel does not give, the doors do without: connections wait to be taken.
    let _ = setrlimit(Resource::Nofile, most);
}

/// A change of a switch that another agent died in is taken back by its guard; what a guard
/// could not do is done here.
/// Sentences of what was done.
fn recover_switches() -> Vec<String> {
    let folder = Path::new(accelnet_host::switch::guard::FOLDER);
    let switches = accelnet_host::switch::KernelSwitches;
    let recovered = match accelnet_host::switch::guard::recover(folder, &switches) {
        Ok(recovered) => recovered,
        Err(error) => return vec![format!("It failed to read {}: {error}.", folder.display())],
    };
    let sentences = recovered.iter().map(|one| match one.failed.as_slice() {
        [] => format!("Undid an unfinished change of bridge {}.", one.bridge),
        failed => format!(
            "An unfinished change of bridge {} was not undone: it failed to {}.",
            one.bridge,
            failed.join("; to ")
        ),
    });
    sentences.collect()
}

/// Hears of links, addresses, routes and devices.
fn listen_to_kernel(inbox: &Inbox, end: &End) {
    let links = inbox.clone();
    hear("links", DEAF, end, move |again| {
        let mut monitor = Monitor::open().ok()?;
        if again {
            links.put(Message::Look);
        }
        loop {
            if monitor.next(LISTEN).ok()?.is_some() {
                links.put(Message::Look);
            }
        }
    });
    let devices = inbox.clone();
    hear("devices", DEAF, end, move |again| {
        let mut monitor = Uevents::open().ok()?;
        if again {
            devices.put(Message::Look);
        }
        loop {
            if monitor.next(LISTEN).ok()?.is_some() {
                devices.put(Message::Look);
            }
        }
    });
}

/// Hears of what bridges learn.
fn listen_to_bridges(inbox: &Inbox, end: &End) {
    let inbox = inbox.clone();
    hear("bridges", DEAF, end, move |_| {
        let mut monitor = FdbMonitor::open().ok()?;
        let watched = monitor.watched().ok()?;
        inbox.put(Message::Do(Box::new(|core| {
            core.hears_of_addresses(watched);
        })));
        loop {
            if let Some(event) = monitor.next(LISTEN).ok()? {
                inbox.put(Message::Address(event));
            }
        }
    });
}

/// Hears of changes of policy, of this agent and of others.
fn listen_to_policy(inbox: &Inbox, store: Arc<dyn Store>, end: &End) {
    let inbox = inbox.clone();
    hear("policy", OUT_OF_TOUCH, end, move |_| {
        loop {
            let now = store.range(POLICY).ok()?.revision;
            let mut watch = store.watch(POLICY, now + 1).ok()?;
            // What changed since the mind read it last, and before this began to listen.
            inbox.put(Message::Policy(now));
            loop {
                match watch.next(LISTEN) {
                    Ok(changes) => {
                        if let Some(last) = changes.last() {
                            inbox.put(Message::Policy(last.revision()));
                        }
                    }
                    Err(StoreError::Closed) => return Some(()),
                    // Something was missed: from where the store is now.
                    Err(StoreError::Compacted { .. }) => break,
                    // It misses nothing, and whoever finds that the store answers again has the
                    // mind look.
                    Err(_) => SystemClock.sleep(OUT_OF_TOUCH),
                }
            }
        }
    });
}

/// Listens for as long as the process lives; one that cannot tries again after a `pause`, and knows
/// then that it may have missed something.
pub(crate) fn hear(
    name: &str,
    pause: Duration,
    end: &End,
    ear: impl Fn(bool) -> Option<()> + Send + 'static,
) {
    let vital = Vital::new(end);
    let listening = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _vital = vital;
        let mut again = false;
        while ear(again).is_none() {
            SystemClock.sleep(pause);
            again = true;
        }
    });
    // Without this ear the full look finds what it would have heard.
    drop(listening);
}

/// Hears of VMs and virtual networks; libvirt's own thread goes on when its daemon restarts.
fn listen_to_libvirt(
    core: &Core,
    inbox: &Inbox,
    end: &End,
) -> Option<accelnet_host::vms::WatchHandle> {
    let inbox = inbox.clone();
    let reflex = core.reflex();
    let heard = move |event: VmEvent| {
        if let Some(word) = reflex.hear(&event) {
            inbox.put(Message::Do(Box::new(move |core| {
                core.tell(word.kind, &word.subject, word.message);
            })));
        }
        if let VmEvent::Rebooted { .. } | VmEvent::FailoverNegotiated { .. } = &event {
            let event = event.clone();
            inbox.put(Message::Do(Box::new(move |core| {
                core.heard_of_guest(&event)
            })));
        }
        if let VmEvent::Domain {
            uuid,
            change: DomainChange::Stopped | DomainChange::Crashed,
            ..
        } = &event
        {
            let uuid = uuid.clone();
            inbox.put(Message::Do(Box::new(move |core| core.vm_has_left(&uuid))));
        }
        if let VmEvent::Domain {
            uuid,
            change: DomainChange::Started | DomainChange::Resumed,
            ..
        } = &event
        {
            let uuid = uuid.clone();
            inbox.put(Message::Do(Box::new(move |core| core.vm_goes_on(&uuid))));
        }
        match event {
            // Nothing can be asked then: what happened is looked for when it is there again.
            VmEvent::ConnectionLost { .. } => {}
            _ => inbox.put(Message::Look),
        }
    };
    let heard = vital::listener(end, heard);
    core.edge.vms().watch(Box::new(heard)).ok()
}

/// A word to systemd, where it started this.
fn tell_systemd(word: &str) {
    // Nobody listens where nobody started it.
    drop(crate::systemd::notify(word));
}

/// Ends on SIGTERM and SIGINT.
fn end_on_signal(stopper: Stopper) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGTERM, SIGINT]) else {
        return;
    };
    let vital = Vital::new(&vital::process());
    drop(
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let _vital = vital;
                if signals.forever().next().is_some() {
                    stopper.stop();
                }
            }),
    );
}

#[cfg(test)]
mod tests;
