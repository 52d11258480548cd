//! The algorithm in plain Rust, without Python.

/// Returns the edit distance of two strings: the number of characters to insert, delete, or
/// replace to turn one into the other.
#[must_use]
pub fn distance(first: &str, second: &str) -> usize {
    let first: Vec<char> = first.chars().collect();
    let second: Vec<char> = second.chars().collect();
    slice_distance(&first, &second)
}

/// Returns the edit distance of two slices (Levenshtein's algorithm).
#[must_use]
pub fn slice_distance<T: PartialEq>(first: &[T], second: &[T]) -> usize {
    // One row of the table: the distances of the current prefix of `first` to each prefix of
    // `second`.
    let mut row: Vec<usize> = (0..=second.len()).collect();
    for (i, a) in first.iter().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in second.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[second.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_distances() {
        for (first, second, expected) in [
            ("kitten", "sitting", 3),
            ("", "rust", 4),
            ("rust", "", 4),
            ("straße", "strasse", 2),
        ] {
            assert_eq!(distance(first, second), expected, "{first} to {second}");
        }
    }

    #[test]
    fn items_can_be_of_any_type() {
        assert_eq!(slice_distance(&[1, 2, 3], &[2, 3, 4]), 2);
    }
}
