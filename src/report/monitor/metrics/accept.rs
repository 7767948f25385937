//! Which form a scraper asks for: the header `Accept` (RFC 9110, section 12.5.1).

use super::Exposition;

/// The form that a scraper asks for with this `Accept` header, by the weights in it, of equal ones the first; the text format
/// where there is none that we have, since every scraper reads it.
pub fn exposition(accept: Option<&str>) -> Exposition {
    let mut best: Option<(f32, Exposition)> = None;
    for range in accept.unwrap_or_default().split(',') {
        let Some((weight, form)) = wanted(range) else {
            continue;
        };
        if weight > best.map_or(0.0, |(most, _)| most) {
            best = Some((weight, form));
        }
    }
    best.map_or(Exposition::Text, |(_, form)| form)
}

/// What one media range stands for, and how much it is wanted.
fn wanted(range: &str) -> Option<(f32, Exposition)> {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next()?.to_ascii_lowercase();
    let parameters: Vec<(String, &str)> = parts
        .filter_map(|part| part.split_once('='))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"')))
        .collect();
    let parameter = |name: &str| {
        let found = parameters.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| *value)
    };
    // `escaping` is how names would be written that are more than letters, digits and underscores. We have none such, so that
    // the same bytes are right for all its values, and for version 1.0.0 of the text format, which differs in that alone.
    let form = match kind.as_str() {
        "application/vnd.google.protobuf" => {
            let is_ours = parameter("proto").is_none_or(|proto| proto == "io.prometheus.client.MetricFamily")
                && parameter("encoding").is_none_or(|encoding| encoding == "delimited");
            is_ours.then_some(Exposition::Protobuf)
        }
        "application/openmetrics-text" => parameter("version")
            .is_none_or(|version| version == "1.0.0")
            .then_some(Exposition::OpenMetrics),
        "text/plain" => parameter("version")
            .is_none_or(|version| ["0.0.4", "1.0.0"].contains(&version))
            .then_some(Exposition::Text),
        "*/*" | "text/*" => Some(Exposition::Text),
        _ => None,
    }?;
    let weight = parameter("q")
        .and_then(|weight| weight.parse().ok())
        .unwrap_or(1.0);
    Some((weight, form))
}
