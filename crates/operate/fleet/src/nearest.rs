//! "Did you mean …".

/// Longer words than this are not compared; no name here is as long.
const LONGEST: usize = 40;

/// A hint naming the candidate most like `word`, if one is.
pub fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let word = word.to_ascii_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_ascii_lowercase());
            (distance, candidate)
        })
        // A third of the word wrong, or one letter of a short one.
        .filter(|(distance, _)| *distance <= (length / 3).max(1))
        .min()
        .map(|(_, candidate)| format!("did you mean {candidate}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_no_far_one() {
        let names = ["http", "https", "ssh", "mysql"];
        assert_eq!(did_you_mean("shh", names).as_deref(), Some("did you mean ssh?"));
        assert_eq!(did_you_mean("HTPP", names).as_deref(), Some("did you mean http?"));
        assert_eq!(did_you_mean("oracle", names), None);
        assert_eq!(did_you_mean(&"s".repeat(100_000), names), None);
    }
}
