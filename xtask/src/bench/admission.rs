//! `cargo xtask bench admission`: how long an admission and a cluster file take, as clusters grow.

use std::fs;
use std::path::Path;

use clap::Args;

use super::growth::{self, Growth};
use super::machine;
use super::plot::{Drawing, Series, grouped};
use crate::error::Error;
use crate::run::{cargo, output, root, run, target};

/// Where `--write` writes, between its marks.
const DOCUMENT: &str = "docs/admission.md";
const ADMISSION: &str = "docs/admission.svg";
const CAPACITY: &str = "docs/capacity.svg";
const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end of measured -->\n"];

/// Measure admissions and `capacity --from FILE`, as clusters grow
///
/// Admissions are measured from scratch, with the sums kept, and beside a try of every set of nodes; the
/// release program is measured on files of up to 10,000 nodes and 1,000,000 VMs.
#[derive(Debug, Args)]
pub struct Admission {
    /// How often each file is judged
    #[arg(long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,
    /// Write the tables and drawings into docs/
    #[arg(long)]
    write: bool,
}

impl Admission {
    pub fn run(&self) -> Result<(), Error> {
        run(&mut cargo(["build", "--release", "--package", "accelnet"]))?;
        let program = target().join("release/accelnet");
        let bench = [
            "bench",
            "--quiet",
            "--package",
            "accelnet-rules",
            "--bench",
            "admission",
        ];
        // It is built before the machine is watched.
        run(cargo(bench).arg("--no-run"))?;
        let busy = machine::busy()?;
        let lines = output(&mut cargo(bench))?;
        let admissions: Vec<OneMore> = lines.lines().filter_map(OneMore::read).collect();
        let sets: Vec<Sets> = lines.lines().filter_map(Sets::read).collect();
        let files = growth::measure(&program, self.rounds)?;
        let text = [
            admissions_text(&admissions),
            sets_text(&sets),
            files_text(&files),
        ]
        .join("\n");
        print!("{text}");
        match self.write {
            true => write(&program, busy, &text, &admissions, &sets, &files),
            false => Ok(()),
        }
    }
}

fn write(
    program: &Path,
    busy: u64,
    text: &str,
    admissions: &[OneMore],
    sets: &[Sets],
    files: &[Growth],
) -> Result<(), Error> {
    let about = machine::about(program, vec![busy])?;
    let fact = |name: &str| {
        let fact = about.facts.iter().find(|(known, _)| *known == name);
        fact.map_or("unknown", |(_, value)| value.as_str())
    };
    let measured = format!(
        "{text}\nMedians, measured on {} with {}, Linux {}; others used {busy} % of the CPU before it began.\n",
        fact("date"),
        fact("CPU"),
        fact("kernel"),
    );
    let path = root().join(DOCUMENT);
    let failed = |source| Error::File {
        path: path.clone(),
        source,
    };
    let before = fs::read_to_string(&path).map_err(failed)?;
    fs::write(&path, between(&before, &measured)).map_err(failed)?;
    fs::write(root().join(ADMISSION), drawn_admissions(admissions, sets)).map_err(failed)?;
    fs::write(root().join(CAPACITY), drawn_files(files)).map_err(failed)?;
    println!("written: {DOCUMENT}, {ADMISSION}, {CAPACITY}");
    Ok(())
}

/// One more VM in a cluster.
struct OneMore {
    nodes: f64,
    vms: f64,
    /// Nanoseconds of one admission: from scratch, with the sums kept, of VFs alone.
    scratch: f64,
    kept: f64,
    naive: f64,
}

impl OneMore {
    fn read(line: &str) -> Option<Self> {
        let &[nodes, vms, scratch, kept, naive] = numbers(line, "admission")?.as_slice() else {
            return None;
        };
        Some(OneMore {
            nodes,
            vms,
            scratch,
            kept,
            naive,
        })
    }

    fn cells(&self) -> [String; 8] {
        [
            grouped(self.nodes),
            grouped(self.vms),
            time(self.scratch),
            time(self.naive),
            format!("{:.1}", self.scratch / self.naive),
            time(self.kept),
            format!("{:.1}", self.scratch / self.kept),
            grouped(1_000_000_000.0 / self.kept),
        ]
    }
}

/// One more VM in a small cluster, beside a try of every set of nodes.
struct Sets {
    nodes: f64,
    sets: f64,
    /// Nanoseconds: of every set, from scratch, with the sums kept.
    every: f64,
    scratch: f64,
    kept: f64,
}

impl Sets {
    fn read(line: &str) -> Option<Self> {
        let &[nodes, sets, every, scratch, kept] = numbers(line, "sets")?.as_slice() else {
            return None;
        };
        Some(Sets {
            nodes,
            sets,
            every,
            scratch,
            kept,
        })
    }

    fn cells(&self) -> [String; 6] {
        [
            grouped(self.nodes),
            grouped(self.sets),
            time(self.every),
            time(self.scratch),
            format!("{:.1}", self.every / self.scratch),
            format!("{:.1}", self.every / self.kept),
        ]
    }
}

/// The numbers of a line of the benchmark that is of that kind.
fn numbers(line: &str, kind: &str) -> Option<Vec<f64>> {
    let mut cells = line.split('\t');
    let cells = cells.next().filter(|first| *first == kind).map(|_| cells)?;
    cells.map(|cell| cell.parse().ok()).collect()
}

fn admissions_text(all: &[OneMore]) -> String {
    let head = [
        "nodes",
        "VMs",
        "from scratch",
        "VFs alone",
        "ratio to that",
        "sums kept",
        "from scratch / kept",
        "admissions/s, sums kept",
    ];
    table(head, all.iter().map(OneMore::cells))
}

fn sets_text(all: &[Sets]) -> String {
    let head = [
        "nodes",
        "sets of nodes",
        "every set",
        "from scratch",
        "every set / from scratch",
        "every set / kept",
    ];
    table(head, all.iter().map(Sets::cells))
}

fn files_text(all: &[Growth]) -> String {
    let head = [
        "nodes",
        "VMs",
        "file",
        "10 admitted",
        "10 refused",
        "ratio of admitted to Python's reading",
    ];
    let cells = |one: &Growth| {
        [
            grouped(f64::from(one.nodes)),
            grouped(f64::from(one.vms)),
            size(one.bytes),
            time(one.admitted * 1e9),
            time(one.refused * 1e9),
            format!("{:.2}", one.ratio),
        ]
    };
    table(head, all.iter().map(cells))
}

/// One admission by nodes, with the most VMs a node.
fn drawn_admissions(all: &[OneMore], sets: &[Sets]) -> String {
    let most = all
        .iter()
        .map(|one| one.vms / one.nodes)
        .fold(0.0, f64::max);
    let full = || all.iter().filter(|one| one.vms / one.nodes >= most);
    let of = |name, value: fn(&OneMore) -> f64| Series {
        name,
        points: full().map(|one| (one.nodes, value(one))).collect(),
    };
    let series = [
        of("from scratch", |one| one.scratch),
        of("VFs alone", |one| one.naive),
        of("sums kept", |one| one.kept),
        Series {
            name: "every set of nodes",
            points: sets.iter().map(|one| (one.nodes, one.every)).collect(),
        },
    ];
    let last = full().next_back();
    Drawing {
        axes: ("nodes", "one admission"),
        unit: &time,
        series: &series,
        linear: last.map(|one| (one.nodes, one.scratch)),
    }
    .svg()
}

fn drawn_files(all: &[Growth]) -> String {
    let of = |name, each: u32, value: fn(&Growth) -> f64| {
        let these = all.iter().filter(move |one| one.vms / one.nodes == each);
        let points = these.map(|one| (f64::from(one.vms), value(one) * 1e9));
        Series {
            name,
            points: points.collect(),
        }
    };
    let series = [
        of("100 VMs a node, admitted", 100, |one| one.admitted),
        of("100 VMs a node, refused", 100, |one| one.refused),
        of("10 VMs a node, admitted", 10, |one| one.admitted),
        of("10 VMs a node, refused", 10, |one| one.refused),
    ];
    let last = all.last();
    Drawing {
        axes: ("VMs", "accelnet capacity --from FILE"),
        unit: &time,
        series: &series,
        linear: last.map(|one| (f64::from(one.vms), one.admitted * 1e9)),
    }
    .svg()
}

/// Nanoseconds, as people read them.
fn time(nanoseconds: f64) -> String {
    let (value, unit) = match nanoseconds {
        small if small < 1e6 => (small / 1e3, "µs"),
        middle if middle < 1e9 => (middle / 1e6, "ms"),
        large => (large / 1e9, "s"),
    };
    match value {
        small if small < 10.0 => format!("{value:.2} {unit}"),
        _ => format!("{value:.1} {unit}"),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        small if small < 1 << 20 => format!("{} KiB", small.div_ceil(1 << 10)),
        large => format!("{} MiB", large.div_ceil(1 << 20)),
    }
}

fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String; N]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&head.map(str::to_owned));
    text += &line(&head.map(|_| "---:".to_owned()));
    text.extend(rows.map(|row| line(&row)));
    text
}

/// `text` with `new` between the marks.
fn between(text: &str, new: &str) -> String {
    let [begin, end] = MARKS;
    let parts = text.split_once(begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(end)?;
        Some(format!("{before}{begin}{new}{end}{after}"))
    });
    parts.unwrap_or_else(|| format!("{text}\n{begin}{new}{end}"))
}
