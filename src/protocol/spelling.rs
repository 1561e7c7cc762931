//! The nearest right spelling of a word that nobody knows.

/// The candidate that was most likely meant by `word`; `None` when none is near.
///
/// A slip of the hand changes few letters, so what differs in more than a third of them is another word.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer words are no names, and the distance of two texts costs their product.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let wanted = word.to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&wanted, &candidate.to_lowercase());
    let likeness = |candidate: &str| strsim::jaro_winkler(&wanted, &candidate.to_lowercase());
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .filter(|candidate| {
            let most = (wanted.chars().count().max(candidate.chars().count()) / 3).max(1);
            distance(candidate) <= most || likeness(candidate) > 0.92
        })
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_the_word_that_was_meant() {
        let known = ["control", "address", "ack", "nack", "get_version"];
        for (word, meant) in [
            ("contrl", Some("control")),
            ("adress", Some("address")),
            ("akc", Some("ack")),
            ("Ack", Some("ack")),
            ("get_versoin", Some("get_version")),
            ("checksum", None),
            ("x", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
        assert_eq!(nearest(&"a".repeat(100_000), known), None);
    }
}
