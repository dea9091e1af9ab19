//! The listener for TCP with mutual TLS. No client comes further than the handshake without
//! a certificate of a CA that is trusted here and that names a role.

mod guest;
mod handshakes;
mod identity;
mod keys;
mod reason;
mod verifier;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use accelnet_model::{Code, Problem};
use axum::Router;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use rustls::server::Acceptor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::connection::{BREATH, Turns, connection};
use super::places::{Places, Source};
use super::refusals::Refusals;
use super::surplus::Surplus;
use crate::Caller;
#[cfg(feature = "fuzzing")]
use crate::Role;
use crate::types::Origin;
use guest::Guest;
use handshakes::{Handshakes, Place};
use keys::{Keys, Used, record};
use reason::reason;

pub use keys::Files;

/// How long the first words of a handshake may take, and then the rest of it.
const HELLO: Duration = Duration::from_secs(2);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a refused client may take to read the reason.
const LINGER: Duration = Duration::from_secs(2);
/// Connections that the kernel keeps until they are taken.
const BACKLOG: i32 = 1024;

/// Where to listen, and with what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOptions {
    /// Address and port.
    pub listen: SocketAddr,
    /// Certificates and key.
    pub files: Files,
}

/// A listener that is not open yet.
#[derive(Debug)]
pub struct Remote {
    listener: StdListener,
    keys: Keys,
}

impl Remote {
    /// Takes the address. It may be one that this machine does not have yet, as it happens at
    /// boot.
    ///
    /// # Errors
    ///
    /// `certificate_unusable` for files that cannot be used; `agent_unreachable` when another program
    /// else has the address.
    pub fn bind(options: &RemoteOptions) -> Result<Self, Problem> {
        let keys = Keys::read(&options.files)?;
        let listener = listen(options.listen).map_err(|error| {
            let found = format!("It failed to serve {}: {error}.", options.listen);
            Problem::new(
                Code::AgentUnreachable,
                &[&options.listen.to_string()],
                found,
            )
            .needed("A free address and port.")
            .resolution(
                "Use another address with --listen, or stop the program that listens there ('ss -ltnp' shows it).",
            )
        })?;
        Ok(Remote { listener, keys })
    }

    /// The address, with the port that the kernel chose when none was given.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }
}

fn listen(address: SocketAddr) -> io::Result<StdListener> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    match address {
        SocketAddr::V4(_) => sockopt::set_ip_freebind(&socket, true)?,
        SocketAddr::V6(_) => sockopt::set_ipv6_freebind(&socket, true)?,
    }
    rustix::net::bind(&socket, &address)?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// What every connection needs.
#[derive(Clone)]
struct Inside {
    router: Router,
    refusals: Arc<Refusals>,
    keys: Keys,
    places: Places,
    surplus: Surplus,
    stop: watch::Receiver<bool>,
}

/// Takes connections until stopped.
pub async fn serve(
    remote: Remote,
    router: Router,
    refusals: Arc<Refusals>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(remote.listener)?;
    let handshakes = Handshakes::default();
    let inside = Inside {
        router,
        refusals,
        keys: remote.keys,
        places: Places::default(),
        surplus: Surplus::default(),
        stop: stop.clone(),
    };
    let mut turns = Turns::default();
    loop {
        turns.next().await;
        let (stream, address) = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(_) => {
                    tokio::time::sleep(BREATH).await;
                    continue;
                }
            },
        };
        if inside.places.is_full_for(Source::of(address.ip())) {
            continue;
        }
        let (place, evicted) = handshakes.begin(address.ip());
        let inside = inside.clone();
        tokio::spawn(async move {
            let refusals = inside.refusals.clone();
            let entered = tokio::select! {
                entered = enter(stream, address, place, &inside) => entered,
                // None of them is reported: a client can send any number.
                Ok(()) = evicted => None,
            };
            match entered {
                Some(Ok(stream)) => attend(stream, address, inside).await,
                Some(Err(why)) => refusals.connection(&address.to_string(), &why).await,
                None => {
                    let why = "newer connections of its network replaced it";
                    refusals.connection(&address.to_string(), why).await;
                }
            }
        });
    }
    drop(listener);
    inside.places.leave().await;
    Ok(())
}

/// A client that was accepted, by files that were read again so many times.
struct Entered {
    stream: TlsStream<TcpStream>,
    times: u64,
}

/// The handshake of a connection; or why there was none, a fragment.
async fn enter(
    stream: TcpStream,
    address: SocketAddr,
    place: Place,
    inside: &Inside,
) -> Option<Result<Entered, String>> {
    // Without it an answer waits for the acknowledgement of what went before.
    drop(stream.set_nodelay(true));
    let late =
        |within: Duration| format!("its handshake was not done within {} s", within.as_secs());
    let mut hello = std::pin::pin!(LazyConfigAcceptor::new(Acceptor::default(), stream));
    let begun = match tokio::time::timeout(HELLO, hello.as_mut()).await {
        Err(_) => return Some(Err(late(HELLO))),
        Ok(Err(error)) => {
            if let Some(stream) = hello.take_io() {
                linger(stream).await;
            }
            return Some(Err(reason(&error)));
        }
        Ok(Ok(begun)) => begun,
    };
    place.has_spoken();
    if inside.places.is_full_for(Source::of(address.ip())) {
        return Some(Err(
            "its network has as many connections as it may".to_owned()
        ));
    }
    let (Used { config, times, .. }, change) = inside.keys.newest();
    record(change, &inside.refusals).await;
    let shaken = begun.into_stream(config).into_fallible();
    match tokio::time::timeout(HANDSHAKE, shaken).await {
        Ok(Ok(stream)) => Some(Ok(Entered { stream, times })),
        Ok(Err((error, stream))) => {
            linger(stream).await;
            Some(Err(reason(&error)))
        }
        Err(_) => Some(Err(late(HANDSHAKE))),
    }
}

/// Serves a client that was accepted.
async fn attend(entered: Entered, address: SocketAddr, inside: Inside) {
    let Entered { stream, times } = entered;
    let Some(caller) = caller(&stream, address) else {
        return;
    };
    let Some(seat) = inside.places.take(&caller, Source::of(address.ip())) else {
        inside.surplus.turn_away(stream);
        return;
    };
    let (_, session) = stream.get_ref();
    let shown = session.peer_certificates().unwrap_or_default().to_vec();
    let guest = Guest::new(
        inside.keys,
        times,
        inside.refusals,
        address.to_string(),
        shown,
    );
    let leaves = Box::pin(guest.leaves());
    let check = axum::middleware::from_fn_with_state(guest, guest::check);
    let router = inside.router.layer(check);
    connection(stream, router, caller, seat, inside.stop, Some(leaves)).await;
}

/// Who is behind a connection; the handshake accepts no other client.
fn caller(stream: &TlsStream<TcpStream>, address: SocketAddr) -> Option<Caller> {
    let (_, session) = stream.get_ref();
    let certificate = session.peer_certificates()?.first()?;
    let identity = identity::read(certificate).ok()?;
    Some(Caller {
        name: identity.subject,
        role: identity.role,
        from: Origin {
            address: address.to_string(),
            certificate: Some(identity.fingerprint),
            node: None,
        },
    })
}

/// Name and role of whom a certificate is of.
#[cfg(feature = "fuzzing")]
pub fn identity_of(certificate: &rustls::pki_types::CertificateDer<'_>) -> Option<(String, Role)> {
    let identity = identity::read(certificate).ok()?;
    Some((identity.subject, identity.role))
}

/// Lets the other side read the alert: a connection that is closed with bytes unread is reset,
/// and takes the alert with it.
async fn linger(mut stream: TcpStream) {
    let read = async {
        stream.shutdown().await?;
        let mut bytes = [0; 4096];
        for _ in 0..64 {
            if stream.read(&mut bytes).await? == 0 {
                break;
            }
        }
        Ok::<_, io::Error>(())
    };
    // A client that does not read it does not.
    drop(tokio::time::timeout(LINGER, read).await);
}
