//! Answers: JSON, and a failure's HTTP status.

use accelnet_model::Problem;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::types::Failure;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// When to ask again, in seconds.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// What is answered to a request that went well.
pub fn good(json: impl Into<Body>) -> Response<Body> {
    with(StatusCode::OK, json.into())
}

/// What is answered to one that did not, with `status` where HTTP has a closer one than the
/// catalogue.
pub fn refused(problem: Problem, status: Option<StatusCode>) -> Response<Body> {
    let status = status
        .or_else(|| StatusCode::from_u16(problem.code.entry().http_status).ok())
        // A warning that is raised as an error is one.
        .filter(|status| status.is_client_error() || status.is_server_error())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // Our types have no maps with odd keys.
    let json = serde_json::to_vec(&Failure::from(problem)).unwrap_or_default();
    let mut response = with(status, json.into());
    if matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    ) {
        response.headers_mut().insert(RETRY_AFTER, SOON);
    }
    response
}

fn with(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, JSON);
    response
}
