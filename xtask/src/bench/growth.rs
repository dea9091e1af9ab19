//! `capacity --from FILE` on files of growing clusters, beside Python's reading of the same file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::Command;

use super::measure::in_turns;
use super::row::{Row, Times};
use crate::error::Error;
use crate::run::program;

/// Nodes, and VMs of each.
const SIZES: [(u32, u32); 8] = [
    (10, 10),
    (10, 100),
    (100, 10),
    (100, 100),
    (1_000, 10),
    (1_000, 100),
    (10_000, 10),
    (10_000, 100),
];
/// VMs that the file asks for.
const ASKED: u32 = 10;
const PYTHON: &str = "import json, sys; json.load(open(sys.argv[1]))";
/// Exit status of `cluster_not_enough_resources`.
const REFUSED: i32 = 23;

/// How long one file takes.
pub struct Growth {
    pub nodes: u32,
    pub vms: u32,
    /// Bytes of the file.
    pub bytes: u64,
    /// Seconds, where there is room.
    pub admitted: f64,
    /// Seconds, where no VF is left beside the reserve, so that every VM that is requested is refused.
    pub refused: f64,
    /// How often it takes the time that Python takes to read the file with room.
    pub ratio: f64,
}

/// How much room a cluster has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FreeCapacity {
    /// Enough for what is asked.
    Some,
    /// Exactly enough for the VMs that are there, with half of the nodes down.
    None,
}

/// Times the program on each size.
pub fn measure(accelnet: &Path, rounds: u32) -> Result<Vec<Growth>, Error> {
    let folder = tempfile::tempdir();
    let folder = folder.map_err(|source| Error::File {
        path: std::env::temp_dir(),
        source,
    })?;
    let sizes = SIZES.into_iter();
    sizes
        .map(|size| one(accelnet, rounds, size, folder.path()))
        .collect()
}

fn one(
    accelnet: &Path,
    rounds: u32,
    (nodes, vms): (u32, u32),
    folder: &Path,
) -> Result<Growth, Error> {
    let path = folder.join("cluster.json");
    let failed = |source| Error::File {
        path: path.clone(),
        source,
    };
    let capacity = |expected: i32| {
        let mut command = program(accelnet);
        command.args(["capacity", "--output", "json", "--from"]);
        command.arg(&path);
        ends_with(&mut command, expected).map(|()| command)
    };
    let python = || {
        let mut command = program(Path::new("python3"));
        command.args(["-c", PYTHON]).arg(&path);
        command
    };
    let times = |room, expected| -> Result<(Times, Times), Error> {
        write(&path, nodes, vms, room).map_err(failed)?;
        in_turns(rounds, &mut [capacity(expected)?], &mut [python()])
    };
    let (refused, _) = times(FreeCapacity::None, REFUSED)?;
    let (our_times, their_times) = times(FreeCapacity::Some, 0)?;
    let row = Row {
        place: format!("{nodes} nodes"),
        ours: "accelnet capacity",
        theirs: "python3 json.load",
        our_times,
        their_times,
    };
    Ok(Growth {
        nodes,
        vms: nodes * vms,
        bytes: std::fs::metadata(&path).map_err(failed)?.len(),
        admitted: row.our_times.median(),
        refused: refused.median(),
        ratio: row.ratio(),
    })
}

/// Runs it once: the answer is to be the one that is meant.
fn ends_with(command: &mut Command, expected: i32) -> Result<(), Error> {
    let output = command.output().map_err(|source| Error::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        source,
    })?;
    match output.status.code() == Some(expected) {
        true => Ok(()),
        false => Err(Error::Bench(format!(
            "capacity ended with {}, and not with {expected}",
            output.status
        ))),
    }
}

/// Writes a cluster: two adapters of unlike size a node, VMs of all settings in an order without a pattern.
fn write(path: &Path, nodes: u32, each: u32, room: FreeCapacity) -> io::Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    let vfs = match room {
        FreeCapacity::Some => each * 3,
        FreeCapacity::None => each * 2,
    };
    writeln!(file, "{{\"nodes\": [")?;
    for node in 0..nodes {
        let first = vfs / 2 + node % 4;
        let rest = vfs - first;
        let end = if node + 1 == nodes { "" } else { "," };
        writeln!(
            file,
            "{{\"name\": \"n{node}\", \"adapters\": [\
             {{\"name\": \"pf0\", \"vfs\": {first}, \"queue_pairs\": {}}}, \
             {{\"name\": \"pf1\", \"vfs\": {rest}, \"queue_pairs\": {}}}]}}{end}",
            first * 4,
            rest * 4
        )?;
    }
    writeln!(file, "], \"vms\": [")?;
    let vms = nodes * each;
    for vm in 0..vms {
        let (node, adapter) = (vm % nodes, vm / nodes % 2);
        let end = if vm + 1 == vms { "" } else { "," };
        writeln!(
            file,
            "{{\"name\": \"vm{vm}\", \"node\": \"n{node}\", \"adapter\": \"pf{adapter}\", \
             \"vcpus\": 4, \"performance\": \"{}\"}}{end}",
            setting(vm)
        )?;
    }
    writeln!(file, "], \"ask\": [")?;
    for vm in 0..ASKED {
        let end = if vm + 1 == ASKED { "" } else { "," };
        let name = format!("\"name\": \"asked{vm}\"");
        writeln!(
            file,
            "{{{name}, \"performance\": \"{}\"}}{end}",
            setting(vm)
        )?;
    }
    writeln!(file, "]}}")?;
    file.flush()
}

fn setting(number: u32) -> &'static str {
    let mixed = number.wrapping_mul(2_654_435_761) >> 16;
    ["low", "medium", "high"][(mixed % 3) as usize]
}
