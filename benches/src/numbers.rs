//! Numbers that look random and are the same each time: data is generated from them.

/// A number that depends on nothing but `n` (SplitMix64).
pub(crate) fn roll(n: u64) -> u64 {
    let mut x = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// One of some, chosen by some bits of a roll.
pub(crate) fn one_of<T: Copy>(all: &[T], roll: u64) -> T {
    all[usize::try_from(roll % all.len() as u64).unwrap_or_default()]
}

/// The one in the middle; of an even number the lower of the two.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_no_outlier() {
        assert_eq!(median(vec![9.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 3.0, 100.0]), 3.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn rolls_are_those_of_every_release() {
        // Data made by an earlier release is kept and used again.
        assert_eq!([roll(0), roll(1)], [0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4]);
    }
}
