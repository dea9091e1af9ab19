//! Names of vendors and devices, from the distribution's `pci.ids`.
//!
//! Parsing the whole file takes longer than looking at a node, so only the sections of the
//! vendors that are there are handed to the parser.

use std::collections::BTreeSet;

use accelnet_model::Observed;
use pciid_parser::Database;

use crate::read_error::if_there;
use crate::root::Root;

#[cfg(test)]
mod tests;

/// Where distributions keep the file: Debian's `pci.ids`, and the others' `hwdata`.
const FILES: [&str; 2] = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];

/// Names of the vendors that were requested, and of their devices.
#[derive(Debug)]
pub struct Names {
    database: Observed<Option<Database>>,
}

impl Names {
    /// Reads the names of `vendors` and their devices.
    pub fn read(root: &Root, vendors: &BTreeSet<u16>) -> Self {
        Names {
            database: database(root, vendors),
        }
    }

    /// No names: reading them takes longer than reading an adapter.
    pub fn none() -> Self {
        Names {
            database: Observed::unknown("names were not looked up"),
        }
    }

    /// The name of a vendor; none without a name.
    pub fn vendor(&self, vendor: u16) -> Observed<Option<String>> {
        self.look_up(|database| {
            let entry = database.vendors.get(&vendor)?;
            Some(entry.name.clone())
        })
    }

    /// The name of a device; none without a name.
    pub fn device(&self, vendor: u16, device: u16) -> Observed<Option<String>> {
        self.look_up(|database| {
            let entry = database.vendors.get(&vendor)?.devices.get(&device)?;
            Some(entry.name.clone())
        })
    }

    fn look_up(&self, find: impl Fn(&Database) -> Option<String>) -> Observed<Option<String>> {
        let database = self.database.as_ref();
        database.map(|database| database.as_ref().and_then(&find))
    }
}

fn database(root: &Root, vendors: &BTreeSet<u16>) -> Observed<Option<Database>> {
    for path in FILES {
        return match if_there(root.read(path)) {
            Ok(None) => continue,
            Ok(Some(bytes)) => Database::parse_db(sections(&bytes, vendors).as_slice())
                .map(Some)
                .map_err(|error| format!("{error} in {path}"))
                .into(),
            Err(error) => Observed::unknown(error.to_string()),
        };
    }
    Observed::Known(None)
}

/// The lines of `file` that belong to `vendors`, without those of subsystems. A vendor's
/// section begins with its four digits at the start of a line; its devices follow, each
/// after a tab, each with its subsystems after two.
fn sections(file: &[u8], vendors: &BTreeSet<u16>) -> Vec<u8> {
    let mut wanted = false;
    let mut kept = Vec::new();
    for line in file.split_inclusive(|&byte| byte == b'\n') {
        match line {
            [b'\t', b'\t', ..] | [b'#' | b'\n', ..] | [] => continue,
            [b'\t', ..] => {}
            _ => wanted = vendor(line).is_some_and(|id| vendors.contains(&id)),
        }
        if wanted {
            kept.extend_from_slice(line);
        }
    }
    // The parser takes the last byte of every line for its end.
    if kept.last().is_some_and(|&byte| byte != b'\n') {
        kept.push(b'\n');
    }
    kept
}

/// The vendor whose section `line` begins: four digits, two spaces, a name.
fn vendor(line: &[u8]) -> Option<u16> {
    let (digits, rest) = line.split_first_chunk::<4>()?;
    let digits = std::str::from_utf8(digits).ok()?;
    let id = u16::from_str_radix(digits, 16).ok()?;
    rest.starts_with(b" ").then_some(id)
}
