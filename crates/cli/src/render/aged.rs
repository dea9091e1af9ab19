//! Times as people read them: how long ago.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Fields with the time at which a state began or was observed. Times of events stay.
const SINCE: [&str; 5] = [
    "cut_off_since",
    "joined_at",
    "reported_at",
    "since",
    "verified_at",
];

/// The same value with these times as ages at `now`, in RFC 3339. Only the times of nodes that are `here` are
/// by the same clock as `now`: those of another node are shown as times. What a node reported before it went down
/// keeps its times.
pub fn aged<T: Serialize + DeserializeOwned + Clone>(
    value: &T,
    now: &str,
    here: &dyn Fn(&str) -> bool,
) -> T {
    let aged = serde_json::to_value(value).ok();
    let aged = aged.map(|value| Ages { now, here }.of(value, true));
    // A time that is no text stays.
    let aged = aged.and_then(|aged| serde_json::from_value(aged).ok());
    aged.unwrap_or_else(|| value.clone())
}

/// The clock that ages are by.
struct Ages<'a> {
    now: &'a str,
    here: &'a dyn Fn(&str) -> bool,
}

impl Ages<'_> {
    /// A value with ages; its times are by this clock if `same`, unless it names its node.
    fn of(&self, value: Value, same: bool) -> Value {
        match value {
            Value::Array(values) => {
                let values = values.into_iter().map(|value| self.of(value, same));
                values.collect()
            }
            Value::Object(fields) if fields.get("last_report").is_some_and(Value::is_object) => {
                Value::Object(fields)
            }
            Value::Object(fields) => {
                let same = node_of(&fields).map_or(same, self.here);
                let field = |(name, value): (String, Value)| {
                    let value = self.field(&name, value, same);
                    (name, value)
                };
                Value::Object(fields.into_iter().map(field).collect())
            }
            other => other,
        }
    }

    fn field(&self, name: &str, value: Value, same: bool) -> Value {
        match value {
            Value::String(time) if SINCE.contains(&name) => self.shown(time, same),
            Value::Object(mut drained) if name == "drained" => {
                // Any node may have recorded it; an earlier release does not report which.
                let same = node_of(&drained).is_some_and(self.here);
                if let Some(Value::String(at)) = drained.remove("at") {
                    drained.insert("at".to_owned(), self.shown(at, same));
                }
                Value::Object(drained)
            }
            other => self.of(other, same),
        }
    }

    fn shown(&self, time: String, same: bool) -> Value {
        let shown = match same {
            true => age(&time, self.now),
            false => short(&time, self.now),
        };
        Value::String(shown.unwrap_or(time))
    }
}

/// The node that an object is about: the one that it names, or that it is.
fn node_of(fields: &Map<String, Value>) -> Option<&str> {
    let is_node = fields.contains_key("reported_at");
    fields.get(if is_node { "name" } else { "node" })?.as_str()
}

/// A time of another clock: without its date on the date of `now`, and without its seconds on others.
fn short(time: &str, now: &str) -> Option<String> {
    accelnet_host::seconds_between(time, now)?;
    let (date, clock) = time.strip_suffix('Z')?.split_once('T')?;
    match now.starts_with(date) {
        true => Some(format!("{} UTC", clock.get(..8)?)),
        false => Some(format!("{date} {} UTC", clock.get(..5)?)),
    }
}

/// How long before `now` a time was; none for a text that is no time.
fn age(time: &str, now: &str) -> Option<String> {
    let seconds = accelnet_host::seconds_between(time, now)?;
    let (number, unit) = match seconds {
        // The clock was set back since: no age.
        ..0 => return None,
        seconds @ 0..120 => (seconds, "s"),
        seconds @ 120..7_200 => (seconds / 60, "min"),
        seconds @ 7_200..172_800 => (seconds / 3_600, "h"),
        seconds => (seconds / 86_400, "days"),
    };
    Some(format!("{number} {unit} ago"))
}

#[cfg(test)]
mod tests;
