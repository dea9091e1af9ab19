//! A wire between an agent and etcd: it can be cut, or go silent.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::wait;
use crate::{Etcd, EtcdAddress};

/// How a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Wire {
    Whole,
    /// Nothing comes through, without an error.
    Silent,
    /// What is there is closed, and nothing new begins.
    Cut,
}

struct Shared {
    wire: AtomicU8,
    port: u16,
    streams: Mutex<Vec<TcpStream>>,
}

/// Forwards TCP connections to a port of 127.0.0.1.
#[derive(Clone)]
pub struct Proxy {
    shared: Arc<Shared>,
    own_port: u16,
}

impl Proxy {
    /// A whole wire to `port`.
    ///
    /// # Panics
    ///
    /// No port is to be had.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let own_port = listener.local_addr().expect("an address").port();
        let shared = Arc::new(Shared {
            wire: AtomicU8::new(Wire::Whole as u8),
            port,
            streams: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                accepting.take(stream);
            }
        });
        Self { shared, own_port }
    }

    /// The address of the etcd at its other end.
    pub fn address(&self, prefix: &str) -> EtcdAddress {
        let text = format!("etcd://127.0.0.1:{}/{prefix}", self.own_port);
        text.parse().expect("an address")
    }

    /// A store at its other end.
    pub fn store(&self, prefix: &str) -> Etcd {
        Etcd::open(&self.address(prefix), None).expect("a store")
    }

    /// Nothing comes through, without an error.
    pub fn silence(&self) {
        self.set(Wire::Silent);
    }

    /// Connections are closed, and new ones refused.
    pub fn cut(&self) {
        self.set(Wire::Cut);
        for stream in self.shared.streams().drain(..) {
            drop(stream.shutdown(Shutdown::Both));
        }
    }

    /// The wire is whole again: what was kept back comes through.
    pub fn repair(&self) {
        self.set(Wire::Whole);
    }

    fn set(&self, wire: Wire) {
        self.shared.wire.store(wire as u8, Ordering::SeqCst);
    }
}

impl Shared {
    fn is(&self, wire: Wire) -> bool {
        self.wire.load(Ordering::SeqCst) == wire as u8
    }

    fn streams(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.streams.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(self: &Arc<Self>, near: TcpStream) {
        if self.is(Wire::Cut) {
            return;
        }
        let Ok(far) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return;
        };
        for (from, to) in [(&near, &far), (&far, &near)] {
            let (Ok(from), Ok(to), Ok(kept)) = (from.try_clone(), to.try_clone(), from.try_clone())
            else {
                return;
            };
            self.streams().push(kept);
            let shared = Arc::clone(self);
            thread::spawn(move || shared.forward(from, to));
        }
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            while self.is(Wire::Silent) {
                wait(Duration::from_millis(20));
            }
            if self.is(Wire::Cut) || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        drop(from.shutdown(Shutdown::Both));
        drop(to.shutdown(Shutdown::Both));
    }
}
