use super::*;

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run/accelnet/agent.sock");
    let (first, lock) = bind(&path).expect("a socket");
    let folder_mode = fs::metadata(path.parent().expect("a folder")).expect("there");
    assert_eq!(folder_mode.permissions().mode() & 0o777, 0o755);
    let told = bind(&path).expect_err("it is served").to_string();
    let ours = format!("process {} serves it already", std::process::id());
    assert!(told.ends_with(&ours), "{told}");
    // As after a kill: the file stays, the lock goes with the process.
    drop((first, lock));
    assert!(path.exists());
    drop(bind(&path).expect("a stale socket is replaced"));
}

#[test]
fn what_another_program_listens_on_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    let _other = UnixListener::bind(&path).expect("a socket");
    let error = bind(&path).expect_err("it is served");
    assert!(matches!(error, BindError::Served { .. }), "{error}");
}

#[test]
fn a_file_that_is_no_socket_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    fs::write(&path, "precious").expect("a file");
    let error = bind(&path).expect_err("a file");
    assert!(matches!(error, BindError::NoSocket(_)), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "precious");
}

#[test]
fn a_path_that_is_too_long_is_reported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x".repeat(150));
    let error = bind(&path).expect_err("too long").to_string();
    assert!(error.contains("path must be shorter"), "{error}");
}

#[test]
fn a_server_that_never_served_leaves_no_socket() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("agent.sock");
    let server = crate::Server::bind(&path).expect("a socket");
    assert!(path.exists());
    drop(server);
    assert!(!path.exists());
}
