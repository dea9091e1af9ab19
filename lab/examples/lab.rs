//! The lab by hand: `cargo run -p accelnet-lab --example lab -- [build | shell NAME | fixtures]`.

use std::path::Path;
use std::process::ExitCode;

use accelnet_lab::{build, refresh_fixtures, shell, topologies};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["build"] => build().map(|made| println!("{}", made.folder().display())),
        ["shell", name] => shell(name),
        ["fixtures"] => {
            refresh_fixtures(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/config-space"))
        }
        _ => {
            for topology in topologies::list() {
                println!("{:16}{}", topology.name(), topology.about());
            }
            Ok(())
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
