//! Starting the threads of an agent.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};

use accelnet_api::Server;
use accelnet_api::server::{SocketCallers, Stopper};
use accelnet_api::types::EventKind;
use accelnet_host::{Clock, SystemClock};
use accelnet_model::{Code, Problem};

use super::place::Place;
use crate::cluster::last_reports::LastReports;
use crate::cluster::nodes::Nodes;
use crate::cluster::{BEAT, Link, Liveness, Observers};
use crate::core::Core;
use crate::edge::Edge;
use crate::mind::{Inbox, Message, Outbox, inbox, think};
use crate::orders::{Asker, Orders, watch_orders};
use crate::service::{Agent, RarelyRead};
use crate::systemd;
use crate::view::Picture;
use crate::vital::{self, End, Vital};
use crate::watchers::{
    INTERVAL, STORE_RETRY, watch, watch_bridges, watch_kernel, watch_libvirt, watch_policy,
};

type SharedClock = Arc<dyn Clock + Send + Sync>;

/// A running agent: it ends when this is dropped or stopped.
pub struct Running {
    stopper: Stopper,
    inbox: Inbox,
    threads: Vec<JoinHandle<()>>,
    picture: Arc<RwLock<Arc<Picture>>>,
    _liveness: Option<Liveness>,
}

impl Running {
    /// What stops it.
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Revision of the policy that its node applied last.
    pub fn applied_revision(&self) -> u64 {
        let picture = self.picture.read();
        let picture = picture.unwrap_or_else(PoisonError::into_inner);
        picture.applied_revision
    }

    /// Waits for the end of its threads.
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

/// Starts an agent on `edge`; with `listen`, it watches the kernel. It answers when adapters and switches are
/// as the policy requires. Only then it connects to libvirt, whose own start may wait for that.
///
/// # Errors
///
/// The kernel creates no thread.
pub fn start(
    edge: Box<dyn Edge>,
    place: Place,
    node: &str,
    server: Server,
    listen: bool,
) -> Result<Running, Problem> {
    let clock: SharedClock = Arc::new(SystemClock);
    let (inbox, outbox) = inbox();
    let end = match edge.is_simulated() {
        true => vital::socket(server.stopper()),
        false => vital::process(),
    };
    let liveness = match place.shared {
        true => Some(join(&place, node, &clock, &end)?),
        false => None,
    };
    let mut core = Core::new(edge, place.store.clone(), node);
    if let Some(link) = &place.link {
        use_link(&mut core, link, &inbox);
    }
    for noticed in &place.noticed {
        core.tell(EventKind::Noticed, node, noticed);
    }
    core.libvirt_may_be_asked = false;
    // The statuses have the failures, and the engine tries again.
    drop(core.pass());
    let agent = agent(&core, &place, &inbox, liveness.as_ref(), &clock);
    notify("READY=1");
    if listen {
        watch_kernel(&inbox, &end);
        watch_bridges(&inbox, &end);
    }
    if place.shared {
        watch_orders(&inbox, Orders::new(place.store.clone(), node), &end);
    }
    watch_policy(&inbox, place.store, &end);
    let (stopper, picture) = (server.stopper(), core.picture());
    let engine = engine(core, &inbox, outbox, clock, &end)?;
    Ok(Running {
        stopper,
        threads: vec![engine, socket(server, agent, &inbox, &end)?],
        inbox,
        picture,
        _liveness: liveness,
    })
}

/// Starts the heartbeats and the observation of others.
fn join(place: &Place, node: &str, clock: &SharedClock, end: &End) -> Result<Liveness, Problem> {
    let store = place.store.clone();
    let (by, link) = (&**clock, place.link.clone());
    let liveness = Liveness::begin(BEAT, store.clone(), node, by, link, end);
    let liveness = liveness.map_err(|error| no_thread(&error))?;
    let observers = Observers {
        store,
        node: node.to_owned(),
        clock: clock.clone(),
        lease: liveness.lease(),
    };
    watch("nodes", STORE_RETRY, end, move |_| observers.run(INTERVAL));
    Ok(liveness)
}

/// The engine reconciles when the store answers again.
fn use_link(core: &mut Core, link: &Arc<Link>, inbox: &Inbox) {
    core.reaches_by(link.clone());
    let inbox = inbox.clone();
    link.when_back(Box::new(move |was| {
        let job = Box::new(move |core: &mut Core| core.back_in_touch(&was));
        inbox.put(Message::Do(job));
    }));
}

fn agent(
    core: &Core,
    place: &Place,
    inbox: &Inbox,
    liveness: Option<&Liveness>,
    clock: &SharedClock,
) -> Agent {
    let store = &place.store;
    let asker = liveness.and_then(|liveness| {
        let node = core.name.parse().ok()?;
        Some(Asker::new(
            store.clone(),
            node,
            liveness.lease(),
            clock.clone(),
        ))
    });
    Agent {
        inbox: inbox.clone(),
        picture: core.picture(),
        policies: core.policies.clone(),
        reports: core.reports(),
        journal: core.journal.clone(),
        nodes: Nodes::new(store.clone(), &core.name),
        last_reports: LastReports::default(),
        link: place.link.clone(),
        clock: clock.clone(),
        rarely_read: RarelyRead::new(store.clone(), &core.name, clock.clone()),
        unreadable_since: Mutex::default(),
        asker,
    }
}

/// Starts the thread of the engine, which connects to libvirt.
fn engine(
    mut core: Core,
    inbox: &Inbox,
    outbox: Outbox,
    clock: SharedClock,
    end: &End,
) -> Result<JoinHandle<()>, Problem> {
    let (inbox, end) = (inbox.clone(), end.clone());
    let vital = Vital::new(&end);
    spawn("mind", move || {
        // A local: dropped before the captured variables.
        let vital = vital;
        let handle = watch_libvirt(&core, &inbox, &end);
        core.libvirt_may_be_asked = true;
        let passed = core.pass();
        // Memory that only the work needed, most of it of libvirt's library.
        let simulated = core.edge.is_simulated();
        let rest = move || {
            if !simulated {
                accelnet_libvirt::give_back();
            }
        };
        rest();
        if passed.is_err() || core.has_failures() {
            inbox.put(Message::Look);
        }
        think(
            core,
            &outbox,
            &clock,
            &|| notify("WATCHDOG=1"),
            &rest,
            vital,
        );
        drop(handle);
    })
}

/// Starts the thread of the API.
fn socket(
    server: Server,
    agent: Agent,
    inbox: &Inbox,
    end: &End,
) -> Result<JoinHandle<()>, Problem> {
    let inbox = inbox.clone();
    let vital = Vital::new(end);
    spawn("socket", move || {
        let _vital = vital;
        let served = server.run(Arc::new(agent), Arc::new(SocketCallers::default()));
        if let Err(error) = served {
            eprintln!("the socket is closed: {error}");
        }
        inbox.put(Message::Stop);
    })
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Problem> {
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(run).map_err(|error| no_thread(&error))
}

fn no_thread(error: &std::io::Error) -> Problem {
    let found = format!("No thread is to be had: {error}.");
    Problem::new(Code::AgentUnreachable, &["its socket"], found)
}

fn notify(message: &str) {
    // An agent that systemd did not start has nothing to notify.
    drop(systemd::notify(message));
}
