//! Times as people read them: how long ago.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Fields with the time at which a state began or was observed. Times of events stay.
const SINCE: [&str; 5] = [
    "cut_off_since",
    "joined_at",
    "reported_at",
    "since",
    "verified_at",
];

/// The same value with these times as ages at `now`, in RFC 3339. What a node reported before it went down or
/// was cut off keeps its times: how old the report is, is known from its mark only.
pub fn aged<T: Serialize + DeserializeOwned + Clone>(value: &T, now: &str) -> T {
    let aged = serde_json::to_value(value).ok();
    let aged = aged.map(|value| replaced(value, now));
    // A time that is no text stays.
    let aged = aged.and_then(|aged| serde_json::from_value(aged).ok());
    aged.unwrap_or_else(|| value.clone())
}

fn replaced(value: Value, now: &str) -> Value {
    match value {
        Value::Array(values) => values
            .into_iter()
            .map(|value| replaced(value, now))
            .collect(),
        Value::Object(fields) if fields.get("last_report").is_some_and(Value::is_object) => {
            Value::Object(fields)
        }
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    Value::String(time) if SINCE.contains(&&*name) => aged_time(time, now),
                    Value::Object(mut drained) if name == "drained" => {
                        if let Some(Value::String(at)) = drained.remove("at") {
                            drained.insert("at".to_owned(), aged_time(at, now));
                        }
                        Value::Object(drained)
                    }
                    other => replaced(other, now),
                };
                (name, value)
            })
            .collect(),
        other => other,
    }
}

fn aged_time(time: String, now: &str) -> Value {
    Value::String(age(&time, now).unwrap_or(time))
}

/// How long before `now` a time was; none for a text that is no time.
fn age(time: &str, now: &str) -> Option<String> {
    let seconds = accelnet_host::seconds_between(time, now)?;
    let (number, unit) = match seconds {
        // Of a machine whose clock is ahead: no age.
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
