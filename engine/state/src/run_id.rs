//! The name of a run: sorts by time, is short enough to type the beginning of.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

/// Crockford's base32, lower case: no `i`, `l`, `o`, `u`, in the order of their values, so that text sorts as numbers.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 80 bits: 48 of milliseconds since 1970, 32 of chance.
const LENGTH: usize = 16;

/// The id of a run: 16 characters of base32, the first ten of them its start in milliseconds, the others chance.
/// Ids sort by time of start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunId([u8; LENGTH]);

/// A text that is not the id of a run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of a run: 16 letters and digits were expected")]
pub struct RunIdError(String);

impl RunId {
    /// A new id for a run that starts now.
    pub fn generate() -> Self {
        Self::at(Utc::now(), fastrand::u32(..))
    }

    /// The id of a run that started at `time` and drew `chance`. Times before 1970 count as 1970.
    pub fn at(time: DateTime<Utc>, chance: u32) -> Self {
        let millis = u64::try_from(time.timestamp_millis()).unwrap_or(0) & 0xffff_ffff_ffff;
        let number = (u128::from(millis) << 32) | u128::from(chance);
        let mut text = [0; LENGTH];
        for (position, letter) in text.iter_mut().enumerate() {
            let shift = 5 * (LENGTH - 1 - position);
            *letter = ALPHABET[(number >> shift) as usize & 31];
        }
        Self(text)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// What a person typed as the beginning of an id, in the letters ids are made of; none if it can be no id.
pub(crate) fn normalised_prefix(typed: &str) -> Option<String> {
    let prefix = typed.trim().to_ascii_lowercase();
    let plausible =
        !prefix.is_empty() && prefix.len() <= LENGTH && prefix.bytes().all(|letter| ALPHABET.contains(&letter));
    plausible.then_some(prefix)
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        normalised_prefix(text)
            .and_then(|id| id.into_bytes().try_into().ok())
            .map(Self)
            .ok_or_else(|| RunIdError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_sort_by_time_and_survive_text(a in 0i64..4_000_000_000_000, b in 0i64..4_000_000_000_000, x: u32, y: u32) {
            let id = |millis, chance| RunId::at(DateTime::from_timestamp_millis(millis).expect("in range"), chance);
            let (first, second) = (id(a, x), id(b, y));
            prop_assert_eq!((a, x).cmp(&(b, y)), first.cmp(&second));
            prop_assert_eq!(first.to_string().cmp(&second.to_string()), first.cmp(&second));
            prop_assert_eq!(first.to_string().to_uppercase().parse::<RunId>(), Ok(first));
        }
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for text in ["", "last", "01", "0123456789abcdefg", "0123456789abcdeé", "0123456789abcde%"] {
            assert!(text.parse::<RunId>().is_err(), "{text}");
        }
    }

    #[test]
    fn two_ids_of_one_moment_differ() {
        let ids: std::collections::HashSet<RunId> = (0..1000).map(|_| RunId::generate()).collect();
        assert_eq!(ids.len(), 1000);
    }
}
