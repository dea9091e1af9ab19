//! Figures of performance settings in a request: a field that is not known is a mistake there. In the
//! store it is one that a later release has added.

use accelnet_model::performance::{PerformanceSetting, PerformanceSettings};
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    low: Option<AskedFigure>,
    medium: Option<AskedFigure>,
    high: Option<AskedFigure>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedFigure {
    queue_pairs: u32,
    rate_limit_percent: u32,
}

impl From<AskedFigure> for PerformanceSetting {
    fn from(asked: AskedFigure) -> Self {
        PerformanceSetting {
            queue_pairs: asked.queue_pairs,
            rate_limit_percent: asked.rate_limit_percent,
        }
    }
}

/// Reads figures of which every field is known; a setting that is left out has its default.
pub(super) fn strictly<'de, D: Deserializer<'de>>(
    from: D,
) -> Result<Option<PerformanceSettings>, D::Error> {
    let Some(asked) = Option::<Asked>::deserialize(from)? else {
        return Ok(None);
    };
    let default = PerformanceSettings::default();
    Ok(Some(PerformanceSettings {
        low: asked.low.map_or(default.low, PerformanceSetting::from),
        medium: asked
            .medium
            .map_or(default.medium, PerformanceSetting::from),
        high: asked.high.map_or(default.high, PerformanceSetting::from),
    }))
}

#[cfg(test)]
mod tests {
    use accelnet_model::performance::PerformanceSettings;

    use crate::types::management::{Enable, Set};

    const KNOWN: &str =
        r#"{"intent":"lan","performance":{"low":{"queue_pairs":2,"rate_limit_percent":20}}}"#;

    #[test]
    fn what_is_left_out_has_its_default() {
        let asked: Enable = serde_json::from_str(KNOWN).unwrap();
        let figures = asked.performance.unwrap();
        assert_eq!(
            (figures.low.queue_pairs, figures.low.rate_limit_percent),
            (2, 20)
        );
        let default = PerformanceSettings::default();
        assert_eq!(
            (figures.medium, figures.high),
            (default.medium, default.high)
        );
        for nothing in [
            r#"{"intent":"lan"}"#,
            r#"{"intent":"lan","performance":null}"#,
        ] {
            let asked: Enable = serde_json::from_str(nothing).unwrap();
            assert_eq!(asked.performance, None);
        }
    }

    #[test]
    fn a_field_that_is_not_known_is_refused() {
        for wrong in [
            KNOWN.replace("low", "lowest"),
            KNOWN.replace(
                "rate_limit_percent\":20",
                "rate_limit_percent\":20,\"weight\":1",
            ),
        ] {
            let error = serde_json::from_str::<Set>(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("unknown field"), "{error}");
        }
    }
}
