use super::*;

#[test]
fn work_that_falls_over_is_not_a_closed_store() {
    let runtime = Runtime::start().expect("a thread");
    let fallen = runtime.wait(async { panic!("a defect") });
    assert!(matches!(fallen, Err(StoreError::CutOff { .. })));
    // The thread goes on.
    assert!(matches!(runtime.wait(async { 7 }), Ok(7)));
}
