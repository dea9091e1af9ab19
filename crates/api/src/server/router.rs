//! Requests to operations.

use std::sync::Arc;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{Extension, RawPathParams, RawQuery, Request, State};
use axum::http::{HeaderValue, Response, StatusCode, Uri};
use axum::routing::on;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::answer::{good, refused};
use super::body;
use super::operate::{Begun, Call, Failed, Work, fell_over};
use super::parse::bad_request;
use super::query::Query;
use super::refusals::Refusals;
use super::shared_reads::{Key, SharedReads};
use crate::routes::{self, Operation, ROUTES, Route};
use crate::service::{NODE_HEADER, News};
use crate::{Caller, Role, Service};

/// Threads that work at once for requests of those who may change things, and of those who may read.
pub const CHANGING: usize = 64;
pub const READING: usize = 4;
/// Bytes of answers to those who may read that are kept until they are taken, at most.
const KEPT: usize = 16 * 1024 * 1024;
/// How long an answer waits for others to be taken.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whether a connection is to end: what waits on it then waits no longer.
#[derive(Debug, Clone)]
pub struct Ending(pub watch::Receiver<bool>);

/// What every request needs.
#[derive(Clone)]
struct Behind {
    service: Arc<dyn Service>,
    refusals: Arc<Refusals>,
    shared_reads: SharedReads,
    reading: Arc<Semaphore>,
    changing: Arc<Semaphore>,
    kept: Arc<Semaphore>,
}

/// One request, as it came.
struct Asked {
    route: &'static Route,
    caller: Caller,
    name: Option<String>,
    query: String,
    ending: Ending,
    request: Request,
}

/// Why there is no answer, with a status where HTTP has a closer one.
type Refused = (Failed, Option<StatusCode>);

/// The router of all [`ROUTES`].
pub fn router(service: Arc<dyn Service>, refusals: Arc<Refusals>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let answer = move |State(behind): State<Behind>,
                           Extension(caller): Extension<Caller>,
                           Extension(ending): Extension<Ending>,
                           path: Result<RawPathParams, RawPathParamsRejection>,
                           RawQuery(query): RawQuery,
                           request: Request| async move {
            let Ok(path) = path else {
                return refused(bad_request("the name in the path is not UTF-8"), None);
            };
            let name = path.iter().next().map(|(_, name)| name.to_owned());
            let query = query.unwrap_or_default();
            let asked = Asked {
                route,
                caller,
                name,
                query,
                ending,
                request,
            };
            answer(behind, asked).await
        };
        router = router.route(route.path, on(route.filter, answer));
    }
    router
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_so)
        .with_state(Behind {
            service,
            refusals,
            shared_reads: SharedReads::default(),
            reading: Arc::new(Semaphore::new(READING)),
            changing: Arc::new(Semaphore::new(CHANGING)),
            kept: Arc::new(Semaphore::new(KEPT)),
        })
}

async fn answer(behind: Behind, asked: Asked) -> Response<Body> {
    let span = tracing::info_span!(
        "request",
        method = asked.route.method,
        path = asked.request.uri().path(),
        caller = asked.caller.name,
        role = asked.caller.role.name(),
    );
    async move {
        let response = answer_of(behind, asked).await;
        tracing::info!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

async fn answer_of(behind: Behind, asked: Asked) -> Response<Body> {
    let (route, who, name) = (asked.route, asked.caller.clone(), asked.name.clone());
    match ask(&behind, asked).await {
        Ok(json) => {
            let mut response = good(json);
            if let Ok(node) = HeaderValue::from_str(&behind.service.name()) {
                response.headers_mut().insert(NODE_HEADER, node);
            }
            response
        }
        Err((failed, status)) => {
            if failed.unheard && route.needs > Role::Reader {
                let subject = failed.subject.as_deref().or(name.as_deref());
                let refusals = &behind.refusals;
                refusals
                    .request(&who, subject, route.summary, &failed.problem)
                    .await;
            }
            refused(failed.problem, status)
        }
    }
}

/// The JSON of an answer.
async fn ask(behind: &Behind, asked: Asked) -> Result<Bytes, Refused> {
    let unheard = |problem, status| (Failed::unheard(problem), status);
    let query =
        Query::read(&asked.query, asked.route.query).map_err(|problem| unheard(problem, None))?;
    let changes = asked.caller.role > Role::Reader;
    let body = match asked.route.takes {
        // The JSON of `()`.
        None => Bytes::from_static(b"null"),
        Some(_) => body::json(asked.request, body::most(asked.caller.role))
            .await
            .map_err(|(what, status)| unheard(bad_request(&what), Some(status)))?,
    };
    let wait = query.number("wait").unwrap_or(0);
    let call = Call {
        caller: asked.caller,
        needs: asked.route.needs,
        name: asked.name,
        chars: asked.route.name,
        query,
        body,
    };
    let one = One {
        behind,
        operation: asked.route.operation,
        changes,
        query: asked.query,
        call,
    };
    let answered = match wait {
        0 => one.answer().await,
        wait => one.wait(Duration::from_secs(wait), asked.ending).await,
    };
    let answered = answered.map_err(|failed| (failed, None))?;
    match changes {
        true => Ok(answered),
        false => behind.keep(answered).await.map_err(|failed| (failed, None)),
    }
}

/// One request that is made.
struct One<'a> {
    behind: &'a Behind,
    operation: Operation,
    changes: bool,
    query: String,
    call: Call,
}

impl One<'_> {
    /// Makes it.
    async fn answer(&self) -> Result<Bytes, Failed> {
        let (operation, call) = (self.operation, self.call.clone());
        let work = self
            .behind
            .blocking(self.changes, move || routes::read(operation, call));
        let work = work.await?;
        if !work.is_read {
            return self.behind.perform(self.changes, work).await;
        }
        let key = Key {
            changes: self.changes,
            operation,
            name: self.call.name.clone(),
            query: self.query.clone(),
            body: self.call.body.clone(),
        };
        let behind = self.behind.clone();
        let place = self.behind.place(self.changes);
        let read = move |place| async move { behind.perform_in(place, work).await };
        let answered = self.behind.shared_reads.share(key, place, read).await;
        answered.unwrap_or_else(|| Err(fell_over().into()))
    }

    /// Makes it again with each event, until there is one to answer, the time is up, or the connection is
    /// to end. It keeps no thread meanwhile.
    async fn wait(&self, within: Duration, mut ending: Ending) -> Result<Bytes, Failed> {
        let until = Instant::now() + within;
        let mut news = None;
        loop {
            // Listened to before it is read: what happens in between is not missed.
            let mut heard: News = match news.take() {
                Some(news) => news,
                None => {
                    let service = self.behind.service.clone();
                    let listen = move || service.news().map_err(Failed::from);
                    self.behind.blocking(self.changes, listen).await?
                }
            };
            heard.borrow_and_update();
            let answered = self.answer().await?;
            if answered != NO_EVENTS || *ending.0.borrow() || Instant::now() >= until {
                return Ok(answered);
            }
            tokio::select! {
                changed = heard.changed() => {
                    // The source of events has ended: another one is used.
                    news = changed.is_ok().then_some(heard);
                }
                () = tokio::time::sleep_until(until) => return Ok(answered),
                _ = ending.0.wait_for(|ends| *ends) => return Ok(answered),
            }
        }
    }
}

/// The answer that is waited on.
const NO_EVENTS: &[u8] = br#"{"events":[]}"#;

impl Behind {
    /// A place for work, which comes when others leave theirs.
    fn place(&self, changes: bool) -> impl Future<Output = Option<OwnedSemaphorePermit>> + use<> {
        let places = match changes {
            true => self.changing.clone(),
            false => self.reading.clone(),
        };
        async move { places.acquire_owned().await.ok() }
    }

    /// Does what may take a moment on another thread.
    async fn blocking<T: Send + 'static>(
        &self,
        changes: bool,
        work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
    ) -> Result<T, Failed> {
        let place = self.place(changes).await;
        on_thread(place, work).await
    }

    async fn perform(&self, changes: bool, work: Work) -> Result<Bytes, Failed> {
        let place = self.place(changes).await;
        self.perform_in(place, work).await
    }

    async fn perform_in(
        &self,
        place: Option<OwnedSemaphorePermit>,
        work: Work,
    ) -> Result<Bytes, Failed> {
        let service = self.service.clone();
        match on_thread(place, move || work.begin(service.as_ref())).await? {
            Begun::Now(answer) => Ok(answer),
            Begun::Later(answer) => answer.await,
        }
    }

    /// Keeps an answer until it is taken, when others were.
    async fn keep(&self, answer: Bytes) -> Result<Bytes, Failed> {
        let size = u32::try_from(answer.len().min(KEPT)).unwrap_or(u32::MAX);
        let room = self.kept.clone().acquire_many_owned(size);
        match tokio::time::timeout(PATIENCE, room).await {
            Ok(room) => Ok(Bytes::from_owner(Kept {
                answer,
                _room: room.ok(),
            })),
            Err(_) => {
                let found = format!(
                    "Answers of {} MiB wait for clients that do not read them.",
                    KEPT / 1024 / 1024
                );
                Err(Problem::new(Code::AgentBusy, &[], found).into())
            }
        }
    }
}

/// An answer that takes room until it was sent.
struct Kept {
    answer: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.answer
    }
}

/// Does `work` on a thread that is not given to another request, also if the caller is gone.
async fn on_thread<T: Send + 'static>(
    place: Option<OwnedSemaphorePermit>,
    work: impl FnOnce() -> Result<T, Failed> + Send + 'static,
) -> Result<T, Failed> {
    let span = Span::current();
    let work = move || {
        let _place = place;
        span.in_scope(work)
    };
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(fell_over().into()))
}

async fn nothing_there(uri: Uri) -> Response<Body> {
    let what = format!("{} does not exist", uri.path());
    refused(bad_request(&what), Some(StatusCode::NOT_FOUND))
}

async fn not_so(request: Request) -> Response<Body> {
    let what = format!(
        "{} has no method {}",
        request.uri().path(),
        request.method()
    );
    refused(bad_request(&what), Some(StatusCode::METHOD_NOT_ALLOWED))
}
