//! A client that came in with a certificate, for as long as the connection lasts: not longer than the
//! certificate is accepted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accelnet_model::{Code, Problem};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Response};
use axum::middleware::Next;
use rustls::pki_types::CertificateDer;
use tokio::time::Instant;

use super::keys::{Keys, record};
use super::reason::reason_of;
use crate::server::answer::refused;
use crate::server::refusals::Refusals;

/// How long a connection lasts at most: its next request takes another one.
pub const AGE: Duration = Duration::from_secs(15 * 60);
/// How long a check of the certificate counts, unless the files change.
const COUNTS: Duration = Duration::from_secs(30);

/// A client with an accepted certificate.
#[derive(Clone)]
pub struct Guest(Arc<Inner>);

struct Inner {
    keys: Keys,
    refusals: Arc<Refusals>,
    address: String,
    shown: Vec<CertificateDer<'static>>,
    /// When and of which files the certificate was last found good.
    good: Mutex<(Instant, u64)>,
}

impl Guest {
    /// A client that was accepted just now, by files that were read again so many `times`.
    pub fn new(
        keys: Keys,
        times: u64,
        refusals: Arc<Refusals>,
        address: String,
        shown: Vec<CertificateDer<'static>>,
    ) -> Self {
        let good = Mutex::new((Instant::now(), times));
        Guest(Arc::new(Inner {
            keys,
            refusals,
            address,
            shown,
            good,
        }))
    }

    /// Waits until the connection is to end: it is old, or the files have changed.
    pub fn leaves(&self) -> impl Future<Output = ()> + Send + use<> {
        let keys = self.0.keys.clone();
        let (_, times) = self.good();
        async move {
            tokio::select! {
                () = tokio::time::sleep(AGE) => {}
                () = keys.is_renewed(times) => {}
            }
        }
    }

    fn good(&self) -> (Instant, u64) {
        *self.0.good.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the certificate would not accept it any more, a fragment.
    async fn judge(&self) -> Result<(), String> {
        let inner = &self.0;
        let (used, change) = inner.keys.newest();
        record(change, &inner.refusals).await;
        let now = (Instant::now(), used.times);
        let good = self.good();
        if good.1 == now.1 && now.0 - good.0 < COUNTS {
            return Ok(());
        }
        used.lets_in(&inner.shown)
            .map_err(|error| reason_of(&error))?;
        *inner.good.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}

/// Lets a request through, or refuses it where its certificate would not be accepted any more.
pub async fn check(State(guest): State<Guest>, request: Request, next: Next) -> Response<Body> {
    let Err(why) = guest.judge().await else {
        return next.run(request).await;
    };
    let inner = &guest.0;
    inner.refusals.connection(&inner.address, &why).await;
    let found = format!("The connection was open, and {why}.");
    let problem = Problem::new(Code::CertificateRefused, &["this address", "use"], found);
    let mut response = refused(problem, None);
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert(CONNECTION, close);
    response
}
