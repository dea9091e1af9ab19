//! The reconcilers of an agent, and the order of a reconcile. One thread owns them: what changes the node happens one
//! after the other.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use accelnet_api::types::EventKind;
use accelnet_model::{NodeName, Problem};
use accelnet_netlink::{FdbEvent, WatchedFdb};
use accelnet_store::Store;

use crate::capacity::CachedCluster;
use crate::cluster::link::{CutOff, Link, Why};
use crate::context::Context;
use crate::disruption;
use crate::edge::Edge;
use crate::health::{self, Health};
use crate::intents::IntentReconciler;
use crate::observed::{Observer, Snapshot, observer};
use crate::policy::Policy;
use crate::reports::Report;
use crate::shortage::{self, Shortage};
use crate::views::published::{Publication, Published};
use crate::views::report::{Parts, report};
use crate::views::vm::VmViews;
use crate::vms::paths::Watched;
use crate::vms::{VmReconciler, hook_files, request, vf_repair};
use crate::world::World;

/// The state of an agent.
pub struct Reconcilers {
    pub(crate) ctx: Context,
    pub(crate) observer: Observer,
    pub(crate) intents: IntentReconciler,
    pub(crate) vms: VmReconciler,
    /// The cluster as the last admission left it.
    pub(crate) cluster: Option<CachedCluster>,
    shortage: Shortage,
    health: Health,
    publication: Publication,
    /// Revision of the policy that was applied.
    applied_revision: u64,
    /// The connection to a store that may be cut off.
    link: Option<Arc<Link>>,
    /// Whether a policy was applied since the agent began.
    has_begun: bool,
}

impl Reconcilers {
    /// The agent of the node called `node`.
    pub fn new(edge: Box<dyn Edge>, store: Arc<dyn Store>, node: NodeName) -> Self {
        let ctx = Context::new(edge, store, node);
        let observer = Observer::new(&ctx);
        let now = ctx.now();
        let publication = Publication::new(Published {
            snapshot: observer.newest.clone(),
            report: Report::unobserved(&ctx.node, &now, "the agent has no snapshot yet"),
            applied_revision: 0,
            simulated: false,
        });
        Reconcilers {
            vms: VmReconciler::new(&ctx),
            ctx,
            observer,
            intents: IntentReconciler::default(),
            cluster: None,
            shortage: Shortage::default(),
            health: Health::default(),
            publication,
            applied_revision: 0,
            link: None,
            has_begun: false,
        }
    }

    /// The store is reached over `link`.
    pub(crate) fn connect(&mut self, link: Arc<Link>) {
        self.link = Some(link);
    }

    /// Since when the node is cut off from its store; none while it is not.
    pub(crate) fn cut_off(&self) -> Option<CutOff> {
        self.link.as_ref()?.cut_off()
    }

    /// Where the newest state is published.
    pub(crate) fn publication(&self) -> Publication {
        self.publication.clone()
    }

    /// The world of a policy and a snapshot.
    pub(crate) fn world(&self, policy: Policy, snapshot: Arc<Snapshot>) -> Result<World, Problem> {
        World::of(&self.ctx, &self.intents.statuses, policy, snapshot)
    }

    /// Reads the policy and observes the whole node.
    pub(crate) fn whole_world(&self) -> Result<World, Problem> {
        self.world(self.ctx.policies.read()?, observer::all(&self.ctx))
    }

    /// Observes the whole node, to evaluate a change of a policy that was read.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or not all of the node for want of descriptors or memory.
    pub(crate) fn evaluated(&self, policy: Policy) -> Result<World, Problem> {
        let snapshot = observer::all(&self.ctx);
        shortage::of(&self.ctx, &snapshot)?;
        self.world(policy, snapshot)
    }

    /// Observes the whole node, brings it to the policy, and reports. What fails is recorded and kept in the
    /// statuses; the next reconcile tries again.
    ///
    /// # Errors
    ///
    /// The store cannot be read: then the node stays as it is.
    pub fn reconcile(&mut self) -> Result<(), Problem> {
        let done = self.reconcile_unreported();
        self.ctx.reports.write();
        done
    }

    /// The same; the report is written after the answer to a request.
    pub(crate) fn reconcile_unreported(&mut self) -> Result<(), Problem> {
        let world = self.whole_world()?;
        self.reconcile_world(world)
    }

    /// Reconciles after a change of the policy, at `revision` the last time, and of these VMs.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub(crate) fn reconcile_changed(
        &mut self,
        revision: Option<u64>,
        vms: &BTreeSet<String>,
    ) -> Result<(), Problem> {
        let known = revision.unwrap_or(self.applied_revision);
        let policy = self.ctx.policies.read_since(known)?;
        let snapshot = match revision {
            Some(_) => self.observer.adapters(&self.ctx),
            None => self.observer.events_of(&self.ctx, vms),
        };
        let done = self.reconcile_world(self.world(policy, snapshot)?);
        self.ctx.reports.write();
        done
    }

    fn reconcile_world(&mut self, mut world: World) -> Result<(), Problem> {
        self.shortage.check(&self.ctx, &world.snapshot)?;
        self.intents.was_short = false;
        // Without the store nothing can be decided, and what exists may be meant. A node that has just started has
        // nothing yet, and is brought to what was read last. If another agent has its name, the policy does not mean
        // this node.
        let away = self.cut_off();
        let taken = away.as_ref().is_some_and(|away| away.why == Why::NameTaken);
        if taken || self.has_begun && away.is_some() {
            self.publish(world);
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.has_begun, true);
        // A guest whose VF has no link receives nothing until the VF is detached: that is before the intents.
        if !first && self.vms.detach_without_link(&self.ctx, &world) {
            world.snapshot = observer::all(&self.ctx);
        }
        self.reconcile_intents(&mut world)?;
        // Which VMs are managed is unknown while the settings cannot be read: VMs stay as they are.
        if !world.policy.held.management {
            self.reconcile_vms(&mut world, first)?;
        }
        self.applied_revision = world.policy.revision;
        if !world.policy.held.management {
            let paths = &self.vms.paths;
            let evidence = |uuid: &str| paths.of(uuid).map(Watched::evidence);
            self.vms.guests.query(&self.ctx, &world, evidence);
        }
        self.publish(world);
        Ok(())
    }

    /// Brings the node to its intents.
    fn reconcile_intents(&mut self, world: &mut World) -> Result<(), Problem> {
        let ctx = &self.ctx;
        let intents = world.policy.plain_intents();
        self.intents
            .statuses
            .retain(|name| intents.iter().any(|intent| intent.name == *name));
        self.intents.withdraw_removed(ctx, world);
        let mut resumed = false;
        for intent in &intents {
            if self
                .intents
                .statuses
                .cut_the_node_off(intent, &world.policy)
            {
                continue;
            }
            // What fails is kept in the status.
            match ctx.policies.disruption(&intent.name) {
                Ok(Some(disruption)) => {
                    let (intents, vms) = (&mut self.intents, &mut self.vms);
                    disruption::resume(ctx, (intents, vms), world, intent, &disruption);
                    resumed = true;
                }
                _ => drop(self.intents.apply(ctx, world, intent)),
            }
        }
        match resumed {
            true => world.read_policy(ctx, &self.intents.statuses),
            false => {
                world.update(&self.intents.statuses);
                Ok(())
            }
        }
    }

    /// Brings the node's VMs to their settings; `first` completes what an earlier agent began.
    fn reconcile_vms(&mut self, world: &mut World, first: bool) -> Result<(), Problem> {
        let (ctx, vms, statuses) = (&self.ctx, &mut self.vms, &self.intents.statuses);
        vms.read_vnics(ctx, world);
        // Before libvirt starts VMs at boot.
        hook_files::reconcile(ctx, world, &vms.vnics);
        hook_files::reconcile_pool(ctx, world);
        if vms.take_over(ctx, world) {
            world.read_policy(ctx, statuses)?;
        }
        if !world.snapshot.has_domains() {
            // libvirt may start VMs before it answers.
            vms.bridge.reconcile(ctx, world, &vms.paths);
            return Ok(());
        }
        vms.observe_paths(ctx, world);
        if first {
            vms.reconcile_filter(ctx, world);
        }
        if vms.reconcile(ctx, world) {
            world.read_policy(ctx, statuses)?;
            world.snapshot = observer::all(ctx);
            vms.read_vnics(ctx, world);
        }
        // The next reconcile records what cannot be recorded now.
        drop(request::end_open(ctx, world, &mut vms.interrupted, false));
        vf_repair::reconcile(ctx, world, &vms.vnics);
        Ok(())
    }

    /// Observes the node and publishes its state, without changing it.
    pub(crate) fn refresh(&mut self) -> Result<(), Problem> {
        let world = self.evaluated(self.ctx.policies.read()?)?;
        self.applied_revision = world.policy.revision;
        self.publish(world);
        Ok(())
    }

    /// Publishes a state for readers, and keeps the report for the other nodes.
    pub(crate) fn publish(&mut self, world: World) {
        let ctx = &self.ctx;
        if !world.policy.held.management {
            self.vms.observe_paths(ctx, &world);
            self.vms.update_responder(ctx, &world);
            self.vms.reconcile_filter(ctx, &world);
        }
        let views = VmViews::new(&world, &self.vms).all();
        let before = ctx.reports.newest();
        let subject = health::Subject {
            world: &world,
            intents: &self.intents,
            vms: &self.vms,
            views: &views,
        };
        let applied = world.policy.management_revision <= self.applied_revision;
        let report = report(
            &world,
            Parts {
                statuses: &self.intents.statuses,
                faults: self.health.faults(ctx, &subject),
                vms: views,
                settings_revision: match applied {
                    true => Some(world.policy.management_revision),
                    false => before.and_then(|before| before.settings_revision),
                },
            },
        );
        ctx.reports.keep(report.clone());
        self.observer.newest = world.snapshot.clone();
        self.publication.publish(Published {
            snapshot: world.snapshot,
            report,
            applied_revision: self.applied_revision,
            simulated: ctx.edge.is_simulated(),
        });
    }

    /// The store answers again, or counts again: what was missed is done.
    pub(crate) fn store_is_back(&mut self, was: &CutOff) {
        let CutOff {
            since, found, why, ..
        } = was;
        let message = match why {
            Why::Silent => format!("The store answers again; it did not since {since} ({found})."),
            Why::Foreign => {
                format!("The store is this cluster's again; it was not since {since} ({found}).")
            }
            Why::NameTaken => format!(
                "No other agent has this node's name any more; since {since} one had ({found})."
            ),
            Why::Damaged => format!("The store can be read again; since {since} it could not."),
        };
        let node = self.ctx.node.clone();
        self.ctx.record(EventKind::Noticed, &node, message);
        self.ctx.policies.forget_own();
        // What fails is kept in the statuses, and tried again.
        drop(self.reconcile());
    }

    /// Whether anything failed and is worth another try.
    pub(crate) fn have_failures(&self) -> bool {
        self.intents.have_failures(self.ctx.uptime())
    }

    /// When paths of VMs are to be checked without an event.
    pub(crate) fn next_path_check(&self) -> Option<Duration> {
        let vms = &self.vms;
        let checks = [
            vms.paths.next_check(),
            vms.bridge.next_end(),
            vms.detached.due(),
        ];
        checks.into_iter().flatten().min()
    }

    /// Checks the paths of VMs that are due; whether a reconcile is required.
    pub(crate) fn check_paths(&mut self) -> bool {
        let Reconcilers {
            ctx,
            observer,
            intents,
            vms,
            applied_revision,
            ..
        } = self;
        vms.check_paths(ctx, || {
            let policy = ctx.policies.read_since(*applied_revision)?;
            World::of(ctx, &intents.statuses, policy, observer.newest.clone())
        })
    }

    /// A bridge learned an address, or forgot one.
    pub(crate) fn address_event(&mut self, event: &FdbEvent) {
        let filter = &mut self.vms.bridge.filter;
        if let Some(mac) = filter.sender(event) {
            self.vms.paths.sender_event(mac, self.ctx.uptime());
        }
        filter.event(&self.ctx, event);
    }

    /// Changes of what bridges learn come from `watched`.
    pub(crate) fn watch_addresses(&mut self, watched: WatchedFdb) {
        self.vms.bridge.filter.watch_with(&self.ctx, watched);
    }

    /// The guest of a VM rebooted.
    pub(crate) fn guest_rebooted(&mut self, uuid: &str) {
        if let Ok(uuid) = uuid.parse() {
            self.vms.detached.forget(&uuid);
        }
        self.vms.paths.guest_rebooted(uuid, self.ctx.uptime());
    }

    /// The process of a VM ended.
    pub(crate) fn vm_left(&mut self, uuid: &str) {
        self.vms.bridge.filter.vm_left(&self.ctx, uuid);
    }

    /// A VM runs again.
    pub(crate) fn vm_resumed(&self, uuid: &str) {
        let vms = &self.vms;
        vms.bridge.vm_resumed(&self.ctx, uuid, &vms.paths);
    }
}
