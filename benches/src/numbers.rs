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
