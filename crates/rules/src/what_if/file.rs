//! A cluster as a file describes it: `docs/capacity.md`.

use accelnet_model::management::DEFAULT_NODE_RESERVE;
use accelnet_model::performance::PerformanceSettings;
use accelnet_model::{NodeName, Performance, VmName};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::management;

/// The whole file; omitted fields have their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClusterFile {
    /// The share of nodes that may be down at once, in percent, 0..=99; 50 when left out.
    #[serde(default = "default_reserve", deserialize_with = "reserve")]
    pub node_reserve_percentage: u8,
    /// The values of the performance settings.
    #[serde(default)]
    pub performance: FiguresFile,
    /// Nodes, at least one.
    pub nodes: Vec<NodeFile>,
    /// Existing accelerated VMs.
    #[serde(default)]
    pub vms: Vec<VmFile>,
    /// VMs that are requested, in that order.
    #[serde(default)]
    pub ask: Vec<AskFile>,
}

/// The values of the performance settings; 1, 2 and 4 queue pairs by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiguresFile {
    /// Of Low.
    pub low: Option<FigureFile>,
    /// Of Medium.
    pub medium: Option<FigureFile>,
    /// Of High.
    pub high: Option<FigureFile>,
}

/// The values of one setting.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureFile {
    /// Queue pairs of the VF, 1..=64.
    pub queue_pairs: u32,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeFile {
    /// Its name.
    pub name: NodeName,
    /// Whether hyperthreading is on; off when left out.
    #[serde(default)]
    pub smt: bool,
    /// The intent's adapters there; none when left out.
    #[serde(default)]
    pub adapters: Vec<AdapterFile>,
}

/// An adapter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdapterFile {
    /// Its name, once on its node.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// VFs.
    pub vfs: u32,
    /// Queue pairs of all VFs; no limit when left out.
    #[serde(default)]
    pub queue_pairs: Option<u32>,
    /// Queue pairs that one VF can have at most; no limit when left out.
    #[serde(default)]
    pub max_queue_pairs_per_vf: Option<u32>,
}

/// An existing VM.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VmFile {
    /// Its name, once in the file.
    pub name: VmName,
    /// Its node.
    pub node: NodeName,
    /// The adapter that has its VF; the first of the node with room when left out.
    #[serde(default)]
    pub adapter: Option<String>,
    /// Its vCPUs; they do not matter for a VM that exists already.
    #[serde(default)]
    pub vcpus: Option<u32>,
    /// Its setting.
    #[serde(deserialize_with = "performance")]
    pub performance: Performance,
}

/// A VM that is requested.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskFile {
    /// Its name, once in the file.
    pub name: VmName,
    /// Its node; the first that admits it when left out.
    #[serde(default)]
    pub node: Option<NodeName>,
    /// Its vCPUs; enough when left out.
    #[serde(default)]
    pub vcpus: Option<u32>,
    /// Its setting.
    #[serde(deserialize_with = "performance")]
    pub performance: Performance,
}

impl FiguresFile {
    /// The performance settings, with defaults for omitted fields.
    pub fn figures(&self) -> PerformanceSettings {
        let mut figures = PerformanceSettings::default();
        for (figure, given) in [
            (&mut figures.low, &self.low),
            (&mut figures.medium, &self.medium),
            (&mut figures.high, &self.high),
        ] {
            if let Some(given) = given {
                figure.queue_pairs = given.queue_pairs;
            }
        }
        figures
    }
}

fn default_reserve() -> u8 {
    DEFAULT_NODE_RESERVE
}

fn reserve<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(deserializer)?;
    management::reserve_number(number).map_err(|problem| Error::custom(plain(&problem.message)))
}

fn performance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Performance, D::Error> {
    let text = String::deserialize(deserializer)?;
    management::performance(&text).map_err(|problem| Error::custom(plain(&problem.message)))
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    match name.trim().is_empty() {
        true => Err(Error::custom("a name is empty")),
        false => Ok(name),
    }
}

/// A sentence as a part of another.
fn plain(sentence: &str) -> &str {
    sentence.trim_end_matches('.')
}
