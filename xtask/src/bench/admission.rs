//! `cargo xtask bench admission`: how long an admission takes, as clusters grow.

use std::fs;

use clap::Args;

use super::machine;
use super::plot::{Series, svg};
use crate::error::Error;
use crate::run::{cargo, output, root};

/// Where `--write` writes, between its marks.
const DOCUMENT: &str = "docs/admission.md";
const DRAWING: &str = "docs/admission.svg";
const MARKS: [&str; 2] = ["<!-- measured -->\n", "<!-- end of measured -->\n"];
const HEAD: [&str; 9] = [
    "nodes",
    "VFs a node",
    "VMs",
    "from scratch",
    "VFs alone",
    "ratio",
    "sums kept",
    "admissions/s, from scratch",
    "admissions/s, sums kept",
];

/// Measure admissions, from scratch and with the sums kept, as clusters grow
#[derive(Debug, Args)]
pub struct Admission {
    /// Write the table into docs/admission.md
    #[arg(long)]
    write: bool,
}

impl Admission {
    pub fn run(&self) -> Result<(), Error> {
        let bench = [
            "bench",
            "--quiet",
            "--package",
            "accelnet-rules",
            "--bench",
            "admission",
        ];
        let busy = machine::busy()?;
        let measured = output(&mut cargo(bench))?;
        let measured: Vec<Measured> = measured.lines().filter_map(Measured::read).collect();
        let rows: Vec<[String; 9]> = measured.iter().map(Measured::cells).collect();
        let table = table(&rows);
        print!("{table}");
        if self.write {
            let path = root().join(DOCUMENT);
            let failed = |source| Error::File {
                path: path.clone(),
                source,
            };
            let text = fs::read_to_string(&path).map_err(failed)?;
            let about =
                format!("{table}\nMedians; others used {busy} % of the CPU before it began.\n");
            fs::write(&path, between(&text, &about)).map_err(failed)?;
            fs::write(root().join(DRAWING), drawing(&measured)).map_err(failed)?;
            println!("written: {DOCUMENT}, {DRAWING}");
        }
        Ok(())
    }
}

/// A line of the benchmark.
struct Measured {
    nodes: f64,
    vfs: f64,
    vms: f64,
    /// Nanoseconds of one admission: from scratch, with the sums kept, of VFs alone.
    scratch: f64,
    kept: f64,
    naive: f64,
}

impl Measured {
    fn read(line: &str) -> Option<Self> {
        let numbers: Option<Vec<f64>> = line.split('\t').map(|cell| cell.parse().ok()).collect();
        let &[nodes, vfs, vms, scratch, kept, naive] = numbers?.as_slice() else {
            return None;
        };
        Some(Measured {
            nodes,
            vfs,
            vms,
            scratch,
            kept,
            naive,
        })
    }

    fn cells(&self) -> [String; 9] {
        [
            format!("{}", self.nodes),
            format!("{}", self.vfs),
            format!("{}", self.vms),
            time(self.scratch),
            time(self.naive),
            format!("{:.1}", self.scratch / self.naive),
            time(self.kept),
            rate(self.scratch),
            rate(self.kept),
        ]
    }
}

/// Time by VMs.
fn drawing(measured: &[Measured]) -> String {
    let of = |name, value: fn(&Measured) -> f64| Series {
        name,
        points: measured.iter().map(|one| (one.vms, value(one))).collect(),
    };
    let series = [
        of("from scratch", |one| one.scratch),
        of("VFs alone", |one| one.naive),
        of("sums kept", |one| one.kept),
    ];
    svg("VMs", "one admission", time, &series)
}

/// Nanoseconds, as people read them.
fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        small if small < 1_000_000.0 => format!("{:.1} µs", small / 1_000.0),
        large => format!("{:.2} ms", large / 1_000_000.0),
    }
}

fn rate(nanoseconds: f64) -> String {
    format!("{:.0}", 1_000_000_000.0 / nanoseconds)
}

fn table(rows: &[[String; 9]]) -> String {
    let line = |cells: &[String; 9]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&HEAD.map(str::to_owned));
    text += &line(&HEAD.map(|_| "---:".to_owned()));
    text.extend(rows.iter().map(line));
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
