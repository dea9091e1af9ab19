//! Requests to operations.

use std::sync::Arc;

use accelnet_model::{Code, Problem};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, RawPathParams, RawQuery, Request, State};
use axum::http::{Response, StatusCode, Uri};
use axum::routing::{MethodFilter, on};
use tokio::sync::Semaphore;

use super::answer::{good, refused};
use super::body;
use super::operate::{Call, Failed, operate};
use super::parse::bad_request;
use super::query::Query;
use super::refusals::Refusals;
use crate::routes::{Method, Operation, ROUTES, Route};
use crate::{Caller, Role, Service};

/// Requests that wait for events at once: each keeps a thread. More of them wait for a place.
const WAITING: usize = 16;

/// What every request needs.
#[derive(Clone)]
struct Behind {
    service: Arc<dyn Service>,
    refusals: Arc<Refusals>,
    waiting: Arc<Semaphore>,
}

/// The router of all [`ROUTES`].
pub fn router(service: Arc<dyn Service>, refusals: Arc<Refusals>) -> Router {
    let mut router = Router::new();
    for route in ROUTES {
        let method = match route.method {
            Method::Get => MethodFilter::GET,
            Method::Post => MethodFilter::POST,
            Method::Put => MethodFilter::PUT,
            Method::Patch => MethodFilter::PATCH,
            Method::Delete => MethodFilter::DELETE,
        };
        let answer = move |State(behind): State<Behind>,
                           Extension(caller): Extension<Caller>,
                           path: RawPathParams,
                           RawQuery(query): RawQuery,
                           request: Request| async move {
            let name = path.iter().next().map(|(_, name)| name.to_owned());
            answer(route, behind, caller, name, query, request).await
        };
        router = router.route(route.path, on(method, answer));
    }
    router
        .fallback(nothing_there)
        .method_not_allowed_fallback(not_so)
        .with_state(Behind {
            service,
            refusals,
            waiting: Arc::new(Semaphore::new(WAITING)),
        })
}

async fn answer(
    route: &'static Route,
    behind: Behind,
    caller: Caller,
    name: Option<String>,
    query: Option<String>,
    request: Request,
) -> Response<Body> {
    let refusals = behind.refusals.clone();
    let who = caller.clone();
    match ask(route, behind, caller, name.clone(), query, request).await {
        Ok(json) => good(json),
        Err((failed, status)) => {
            if failed.unheard && route.needs > Role::Reader {
                let subject = failed.subject.as_deref().or(name.as_deref());
                refusals
                    .request(&who, subject, route, &failed.problem)
                    .await;
            }
            refused(failed.problem, status)
        }
    }
}

/// The JSON of an answer; or why there is none, with a status where HTTP has a closer one.
async fn ask(
    route: &'static Route,
    behind: Behind,
    caller: Caller,
    name: Option<String>,
    query: Option<String>,
    request: Request,
) -> Result<Bytes, (Failed, Option<StatusCode>)> {
    let unheard = |problem, status| (Failed::unheard(problem), status);
    let query = Query::read(&query.unwrap_or_default(), route.query)
        .map_err(|problem| unheard(problem, None))?;
    let body = match route.takes {
        None => Bytes::new(),
        Some(_) => body::json(request)
            .await
            .map_err(|(what, status)| unheard(bad_request(&what), Some(status)))?,
    };
    let _place = match route.operation {
        Operation::Events if query.number("wait") > Some(0) => {
            behind.waiting.acquire_owned().await.ok()
        }
        _ => None,
    };
    let call = Call {
        caller,
        needs: route.needs,
        name,
        query,
        body,
    };
    let work = move || operate(route.operation, &call, behind.service.as_ref());
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|failed| (failed, None)),
        Err(_) => Err((fell_over().into(), None)),
    }
}

/// The work panicked; the thread's own words are in the log.
fn fell_over() -> Problem {
    let found = "It fell over while it worked on this request; that is a fault of accelnet.";
    Problem::new(Code::AgentUnreachable, &["this request"], found).resolution(
        "'journalctl -u accelnet' has its last words; report them. The agent goes on with other requests.",
    )
}

async fn nothing_there(uri: Uri) -> Response<Body> {
    let what = format!("there is nothing at {}", uri.path());
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
