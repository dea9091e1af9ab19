//! Figures of performance settings in a request: a field that is not known is a mistake there. In the
//! store it is one that a later release has added.

use accelnet_model::performance::{Figure, Figures};
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
    transmit_weight: u32,
}

impl From<AskedFigure> for Figure {
    fn from(asked: AskedFigure) -> Self {
        Figure {
            queue_pairs: asked.queue_pairs,
            transmit_weight: asked.transmit_weight,
        }
    }
}

/// Reads figures of which every field is known; a setting that is left out has its default.
pub(super) fn strictly<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Figures>, D::Error> {
    let Some(asked) = Option::<Asked>::deserialize(from)? else {
        return Ok(None);
    };
    let default = Figures::default();
    Ok(Some(Figures {
        low: asked.low.map_or(default.low, Figure::from),
        medium: asked.medium.map_or(default.medium, Figure::from),
        high: asked.high.map_or(default.high, Figure::from),
    }))
}

#[cfg(test)]
mod tests {
    use accelnet_model::performance::Figures;

    use crate::types::management::{Enable, Set};

    const KNOWN: &str =
        r#"{"intent":"lan","performance":{"low":{"queue_pairs":2,"transmit_weight":20}}}"#;

    #[test]
    fn what_is_left_out_has_its_default() {
        let asked: Enable = serde_json::from_str(KNOWN).unwrap();
        let figures = asked.performance.unwrap();
        assert_eq!(
            (figures.low.queue_pairs, figures.low.transmit_weight),
            (2, 20)
        );
        let default = Figures::default();
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
            KNOWN.replace("transmit_weight\":20", "transmit_weight\":20,\"weight\":1"),
        ] {
            let error = serde_json::from_str::<Set>(&wrong).unwrap_err().to_string();
            assert!(error.starts_with("unknown field"), "{error}");
        }
    }
}
