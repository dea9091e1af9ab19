use super::super::runtime::Runtime;
use super::*;

const LONG: Duration = Duration::from_secs(30);

fn watch(runtime: &Runtime, ending: &Ending) -> EtcdWatch {
    EtcdWatch {
        shared: Arc::clone(&ending.0),
        telling: runtime.handle().spawn(async {}).abort_handle(),
    }
}

#[test]
fn who_reads_of_one_that_fell_over_watches_anew() {
    let runtime = Runtime::start().expect("a thread");
    let ending = Ending(Arc::default());
    let mut watch = watch(&runtime, &ending);
    ending.0.lock().answers.push_back(Ok(Vec::new()));
    let fallen = thread::spawn(move || {
        let _ending = ending;
        panic!("a defect");
    });
    assert!(fallen.join().is_err());
    assert!(watch.next(LONG).is_ok(), "what was told before");
    let missed = watch.next(LONG);
    assert!(
        matches!(missed, Err(StoreError::Compacted { .. })),
        "{missed:?}"
    );
}

#[test]
fn one_that_ended_is_closed() {
    let runtime = Runtime::start().expect("a thread");
    let ending = Ending(Arc::default());
    let mut watch = watch(&runtime, &ending);
    drop(ending);
    assert!(matches!(watch.next(LONG), Err(StoreError::Closed)));
}
