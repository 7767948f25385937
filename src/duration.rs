//! Lengths of time as users write them: `500ms`, `3s`, `1m 30s`.

use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Reads a length of time that is longer than nothing and no longer than a day.
///
/// # Errors
/// A sentence that also says what would be right.
pub fn parse(text: &str) -> Result<Duration, String> {
    let duration = parse_or_zero(text)?;
    if duration.is_zero() {
        return Err("it must be longer than nothing, such as 500ms".to_owned());
    }
    Ok(duration)
}

/// As [`parse`], but `0` is permitted.
///
/// # Errors
/// A sentence that also says what would be right.
pub fn parse_or_zero(text: &str) -> Result<Duration, String> {
    if text != "0" && text.parse::<f64>().is_ok_and(|number| number >= 0.0) {
        return Err(format!("the unit is missing: write {text}s or {text}ms"));
    }
    let duration =
        humantime::parse_duration(text).map_err(|error| format!("{error}; write it as 500ms or 3s"))?;
    if duration > LONGEST {
        return Err("longer than a day".to_owned());
    }
    Ok(duration)
}
