use accelnet_host::SystemClock;

use super::*;
use crate::broken::Breaking;
use crate::vital::tests::end;

const LONG: Duration = Duration::from_secs(30);

#[test]
fn a_panic_ends_the_agent_whose_heartbeats_would_end() {
    let store = Breaking {
        leases_panic: true,
        ..Breaking::new()
    };
    let (end, ended) = end();
    let store: Arc<dyn Store> = Arc::new(store);
    let often = Duration::from_millis(1);
    let alive = Liveness::begin(often, store, "node1", &SystemClock, None, &end);
    assert!(ended.recv_timeout(LONG).is_ok());
    drop(alive);
}
