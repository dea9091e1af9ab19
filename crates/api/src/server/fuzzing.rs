//! Bytes from outside, for fuzz targets: the real connection and router over memory, and the real reading of
//! certificates.

use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Builder;
use tokio::sync::watch;

use super::connection::connection;
use super::places::{Places, Source};
use super::refusals::Refusals;
use super::{remote, router};
use crate::{Caller, Role, Service};

/// Bytes that wait in one direction until they are read.
const WAITING: usize = 64 * 1024;

/// What `caller` gets for `bytes` from a server of `service`. The side that writes stays open until the
/// server ends the connection; time passes at once whenever all tasks wait.
///
/// # Errors
///
/// No runtime is to be had, or the connection panicked.
pub fn answer(service: Arc<dyn Service>, caller: Caller, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let answered = runtime.block_on(async {
        let (near, far) = tokio::io::duplex(WAITING);
        let router = router::router(service.clone(), Refusals::new(service));
        let seat = Places::default().take(&caller, Source::Owner);
        let seat = seat.ok_or_else(|| io::Error::other("the limit is reached"))?;
        let (_keep, stop) = watch::channel(false);
        let served = tokio::spawn(connection(near, router, caller, seat, stop, None));
        let (mut read, mut write) = tokio::io::split(far);
        let mut answer = Vec::new();
        // A server that answers early reads no further.
        let (_, all) = tokio::join!(write.write_all(bytes), read.read_to_end(&mut answer));
        all?;
        served.await?;
        Ok(answer)
    });
    runtime.shutdown_background();
    answered
}

/// Name and role of each certificate in `bytes`: they are one as DER, or some as PEM. None stands for a
/// certificate that gives neither.
pub fn identities(bytes: &[u8]) -> Vec<Option<(String, Role)>> {
    let pem: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    let pem = pem.unwrap_or_default();
    let all = pem.iter().map(AsRef::as_ref).chain([bytes]);
    all.map(|der| remote::identity_of(&CertificateDer::from(der)))
        .collect()
}
