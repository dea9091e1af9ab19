//! The suite, on a real etcd.

use std::sync::Arc;
use std::time::Duration;

use crate::conformance::Subject;
use crate::testing::{EtcdServer, wait};
use crate::{Etcd, Store};

struct Real {
    server: EtcdServer,
    store: Arc<Etcd>,
}

impl Subject for Real {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store) as Arc<dyn Store>
    }

    fn prefix(&self) -> String {
        "case/".to_owned()
    }

    fn advance(&self, time: Duration) {
        wait(time);
    }

    /// A power cut of the server, and another client.
    fn reopen(&mut self) {
        self.server.start_again();
        self.store = Arc::new(self.server.store("suite"));
    }
}

fn make() -> Real {
    let server = EtcdServer::start();
    let store = Arc::new(server.store("suite"));
    Real { server, store }
}

crate::conformance!(make);
