//! `profiles.toml`: servers that can be asked from here, by name.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use accelnet_api::client::Credentials;
use accelnet_model::{Code, Problem};
use accelnet_rules::nearest::absent;
use serde::Deserialize;

/// A server, and what is shown to it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// `HOST:PORT`; without it, for any server.
    pub server: Option<String>,
    /// CAs whose certificates the server may show.
    ca: PathBuf,
    /// Certificate that is shown to it.
    cert: PathBuf,
    /// Its private key.
    key: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    #[serde(default)]
    profiles: BTreeMap<String, Profile>,
}

impl Profile {
    /// Its PEM files.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            ca: self.ca.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
        }
    }

    /// Files are named from where the profile stands.
    fn below(mut self, folder: &Path) -> Self {
        for file in [&mut self.ca, &mut self.cert, &mut self.key] {
            *file = folder.join(&*file);
        }
        self
    }
}

/// The profile called `name`, from the first of `files` that has it.
///
/// # Errors
///
/// `server_settings_invalid`: no file has it, or one that is inspected cannot be read.
pub fn find(name: &str, files: &[PathBuf]) -> Result<Profile, Problem> {
    let mut others: Vec<String> = Vec::new();
    for file in files {
        let Some(mut profiles) = read(file)? else {
            continue;
        };
        if let Some(profile) = profiles.remove(name) {
            return Ok(profile.below(file.parent().unwrap_or(Path::new("/"))));
        }
        others.extend(profiles.into_keys());
    }
    let files: Vec<String> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let found = absent(
        name,
        &format!(
            "Profile {name} does not exist in {}: the files have",
            files.join(" or ")
        ),
        ("profile", "profiles"),
        others.iter().map(String::as_str),
    );
    Err(invalid(found))
}

fn read(file: &Path) -> Result<Option<BTreeMap<String, Profile>>, Problem> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(invalid(format!("{}: {error}.", file.display())));
        }
    };
    let read: Result<Profiles, _> = toml::from_str(&text);
    read.map(|read| Some(read.profiles)).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let before = text.get(..span.start).unwrap_or_default();
            format!(" line {}", before.matches('\n').count() + 1)
        });
        let words = error.message().replace('\n', ", ");
        invalid(format!("{}{place}: {words}.", file.display()))
    })
}

/// What is set makes no sense, and what was found, a sentence.
pub fn invalid(found: String) -> Problem {
    Problem::new(Code::ServerSettingsInvalid, &[], found)
}

#[cfg(test)]
mod tests;
