//! Which word was meant by one that stands for nothing.

/// The nearest of several words, if one is near enough to have been meant.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let distance = |other: &str| strsim::damerau_levenshtein(&word, &other.to_lowercase());
    // Of words as long as whole lines the distance would take long, and none is meant.
    let known = known.filter(|other| other.len() <= 100 && word.len() <= 100);
    let (nearest, distance) = known
        .map(|other| (other, distance(other)))
        .min_by_key(|(_, distance)| *distance)?;
    (distance <= (word.chars().count() / 3).max(1)).then_some(nearest)
}
