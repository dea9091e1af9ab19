//! Management settings as administrators give them: the node reserve, performance settings
//! and the values of each setting.

use accelnet_model::management::DEFAULT_NODE_RESERVE;
use accelnet_model::performance::{Performance, PerformanceSetting, PerformanceSettings};
use accelnet_model::{Code, Problem};

use crate::nearest::absent;

/// The highest node reserve, in percent.
pub const MOST_RESERVE: u8 = 99;
/// The most queue pairs of a setting.
pub const MOST_QUEUE_PAIRS: u32 = 64;
/// The highest rate limit, in percent: no limit.
pub const MOST_RATE_LIMIT: u32 = 100;

/// Reads a node reserve percentage: decimal digits, blanks around them do not count. Nothing
/// but blanks means the default.
///
/// # Errors
///
/// `node_reserve_invalid` for anything else. A sign is refused with the rest: "+5" reads as
/// five more.
pub fn reserve(text: &str) -> Result<u8, Problem> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Ok(DEFAULT_NODE_RESERVE);
    }
    let digits = trimmed.bytes().all(|byte| byte.is_ascii_digit());
    trimmed
        .parse()
        .ok()
        .filter(|reserve| digits && *reserve <= MOST_RESERVE)
        .ok_or_else(|| reserve_invalid(trimmed))
}

/// The reserve that a number means.
///
/// # Errors
///
/// `node_reserve_invalid` outside of 0..=99.
pub fn reserve_number(number: i64) -> Result<u8, Problem> {
    u8::try_from(number)
        .ok()
        .filter(|reserve| *reserve <= MOST_RESERVE)
        .ok_or_else(|| reserve_invalid(&number.to_string()))
}

/// The problem with a node reserve given as `text`.
pub fn reserve_invalid(text: &str) -> Problem {
    let found = match text.parse::<i128>() {
        Ok(number) if number < 0 => format!("{text} is less than 0."),
        Ok(number) if number > i128::from(MOST_RESERVE) => {
            format!("{text} is greater than {MOST_RESERVE}.")
        }
        _ => format!("\"{text}\" is not an integer."),
    };
    Problem::new(Code::NodeReserveInvalid, &[text], found)
}

/// Reads a performance setting, in any case; blanks around it do not count.
///
/// # Errors
///
/// `performance_invalid` for anything else.
pub fn performance(text: &str) -> Result<Performance, Problem> {
    text.trim()
        .parse()
        .map_err(|_| performance_invalid(text.trim()))
}

/// The problem with a performance setting given as `text`.
pub fn performance_invalid(text: &str) -> Problem {
    let found = match text {
        "" => "The performance setting is empty.".to_owned(),
        text => {
            let settings = ["low", "medium", "high"];
            absent(text, "There are", ("setting", "settings"), settings)
        }
    };
    let named = if text.is_empty() { "\"\"" } else { text };
    Problem::new(Code::PerformanceInvalid, &[named], found)
}

/// Changes `settings` by `text`: `low=1:10,high=8:100` gives Low 1 queue pair and a rate limit of 10 %, and so
/// on; settings that are not named remain unchanged.
///
/// # Errors
///
/// `performance_settings_invalid` for any other text, and for settings that contradict each other.
pub fn performance_settings(
    text: &str,
    mut settings: PerformanceSettings,
) -> Result<PerformanceSettings, Problem> {
    let mut named = Vec::new();
    for part in text.split(',') {
        let (setting, one) = read_setting(part.trim())?;
        if named.contains(&setting) {
            return Err(performance_settings_invalid(format!(
                "{setting} is given twice."
            )));
        }
        named.push(setting);
        match setting {
            Performance::Low => settings.low = one,
            Performance::Medium => settings.medium = one,
            Performance::High => settings.high = one,
        }
    }
    judge_performance_settings(&settings)?;
    Ok(settings)
}

/// Reads `low=1:10`.
fn read_setting(part: &str) -> Result<(Performance, PerformanceSetting), Problem> {
    let wrong = || {
        performance_settings_invalid(format!("\"{part}\" cannot be read.")).resolution(
            "Write SETTING=QUEUE-PAIRS:LIMIT, several separated by commas: low=1:10,high=4:100.",
        )
    };
    let (setting, numbers) = part.split_once('=').ok_or_else(wrong)?;
    let (pairs, limit) = numbers.split_once(':').ok_or_else(wrong)?;
    let setting = setting.trim();
    let setting = setting.parse().map_err(|_| {
        let settings = ["low", "medium", "high"];
        let found = absent(setting, "There are", ("setting", "settings"), settings);
        performance_settings_invalid(found)
    })?;
    let figure = PerformanceSetting {
        queue_pairs: pairs.trim().parse().map_err(|_| wrong())?,
        rate_limit_percent: limit.trim().parse().map_err(|_| wrong())?,
    };
    Ok((setting, figure))
}

/// Checks that values are in range, and that a higher setting gives no less than a lower one.
///
/// # Errors
///
/// `performance_settings_invalid`, which names the first invalid value.
pub fn judge_performance_settings(settings: &PerformanceSettings) -> Result<(), Problem> {
    for setting in Performance::ALL {
        let figure = settings.of(setting);
        let ranges = [
            ("queue pairs", figure.queue_pairs, MOST_QUEUE_PAIRS),
            (
                "a rate limit of",
                figure.rate_limit_percent,
                MOST_RATE_LIMIT,
            ),
        ];
        for (what, number, most) in ranges {
            if !(1..=most).contains(&number) {
                let found = match what {
                    "queue pairs" => format!("{setting} has {number} {what}."),
                    what => format!("{setting} has {what} {number}."),
                };
                return Err(performance_settings_invalid(found));
            }
        }
    }
    for pair in Performance::ALL.windows(2) {
        let [lower, higher] = pair else { continue };
        let (less, more) = (settings.of(*lower), settings.of(*higher));
        let falls = [
            ("queue pairs", less.queue_pairs, more.queue_pairs),
            (
                "rate limit",
                less.rate_limit_percent,
                more.rate_limit_percent,
            ),
        ];
        for (what, less, more) in falls {
            if more < less {
                return Err(performance_settings_invalid(format!(
                    "{higher} has {more} as {what}, lower than {lower} with {less}."
                )));
            }
        }
    }
    Ok(())
}

/// Performance settings that are invalid because of `found`.
pub fn performance_settings_invalid(found: impl Into<String>) -> Problem {
    Problem::new(Code::PerformanceSettingsInvalid, &[], found)
}

#[cfg(test)]
mod tests;
