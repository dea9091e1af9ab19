//! The API as schemathesis sees it: it makes requests from docs/openapi.json, those that the document permits
//! and those that it does not, asks an agent on a simulated node, and checks that the answers are what the
//! document reports.

use std::fs;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

use crate::demo::Demo;
use crate::error::Error;
use crate::run::{output, program, root, run, target, tools, works};

/// Its version and those of all that it stands on, with the hashes of their files.
const REQUIREMENTS: &str = include_str!("schemathesis/requirements.txt");
/// Tests of each operation, and the fewest requests that they come to.
const EXAMPLES: u32 = 200;
const REQUESTS: u64 = 5_000;
/// How long one answer may take, in seconds: some are waited for.
const ANSWER: u32 = 70;

/// Asks an agent everything, and fails when an answer differs from the document.
pub fn run_all() -> Result<(), Error> {
    let st = installed()?;
    let demo = Demo::serve(&target().join("debug/accelnet"))?;
    let address = forwarded(demo.socket().to_owned())?;
    let mut all = program(st);
    // It leaves a folder where it runs.
    all.current_dir(target())
        .arg("--config-file")
        .arg(root().join("xtask/src/schemathesis/config.toml"))
        .arg("run")
        .arg(root().join("docs/openapi.json"))
        .args(["--url", &format!("http://{address}")])
        .args(["--checks", "all", "--continue-on-failure", "--no-color"])
        // The same requests every time: a test that fails now and then is a defect.
        .arg("--generation-deterministic")
        .args(["--max-examples", &EXAMPLES.to_string()])
        .args(["--request-timeout", &ANSWER.to_string()]);
    let said =
        output(&mut all).inspect_err(|_| eprintln!("the API is not as docs/openapi.json says"))?;
    println!("{said}");
    let requests = generated(&said).unwrap_or(0);
    match requests >= REQUESTS {
        true => Ok(()),
        false => Err(Error::Bench(format!(
            "schemathesis made {requests} requests, and {REQUESTS} are wanted"
        ))),
    }
}

/// The requests that were made, by its summary.
fn generated(said: &str) -> Option<u64> {
    let counted = |line: &str| -> Option<u64> {
        let (count, _) = line.trim().split_once(" generated,")?;
        count.parse().ok()
    };
    said.lines().find_map(counted)
}

/// Its program, in a folder of its own below `target/tools`.
fn installed() -> Result<PathBuf, Error> {
    let folder = tools().join("schemathesis");
    let st = folder.join("bin/st");
    let stamp = folder.join("requirements.txt");
    let is_this = fs::read_to_string(&stamp).is_ok_and(|there| there == REQUIREMENTS);
    if is_this && works(program(&st).arg("--version")) {
        return Ok(st);
    }
    eprintln!("installing schemathesis below {} (once)", folder.display());
    run(program("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    let wanted = folder.join("wanted.txt");
    write(&wanted)?;
    let mut install = program(folder.join("bin/pip"));
    run(install
        .args(["install", "--quiet", "--no-deps", "--require-hashes"])
        .arg("--requirement")
        .arg(&wanted))?;
    write(&stamp)?;
    Ok(st)
}

fn write(file: &Path) -> Result<(), Error> {
    fs::write(file, REQUIREMENTS).map_err(|source| Error::File {
        path: file.to_owned(),
        source,
    })
}

/// An address of 127.0.0.1 behind which the agent's socket is: schemathesis knows no sockets. It is served
/// until this process ends.
fn forwarded(socket: PathBuf) -> Result<String, Error> {
    let fails = |source| Error::File {
        path: PathBuf::from("127.0.0.1"),
        source,
    };
    let listener = TcpListener::bind("127.0.0.1:0").map_err(fails)?;
    let address = listener.local_addr().map_err(fails)?;
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = UnixStream::connect(&socket) else {
                continue;
            };
            let (Ok(near_too), Ok(far_too)) = (near.try_clone(), far.try_clone()) else {
                continue;
            };
            thread::spawn(move || to_agent(near, far));
            thread::spawn(move || from_agent(far_too, near_too));
        }
    });
    Ok(address.to_string())
}

fn to_agent(mut near: TcpStream, mut far: UnixStream) {
    // The client may have hung up.
    drop(std::io::copy(&mut near, &mut far));
    drop(far.shutdown(Shutdown::Both));
}

fn from_agent(mut far: UnixStream, mut near: TcpStream) {
    drop(std::io::copy(&mut far, &mut near));
    drop(near.shutdown(Shutdown::Both));
}
