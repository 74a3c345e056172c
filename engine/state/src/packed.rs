//! Entries as they lie in a row of `under_way`, one after the other (see the schema's second version): so many bytes are stored
//! in one go, where a row for each entry would cost more than all else that is done to write it.

use crate::Outcome;
use crate::rules::{Entry, Hash};

const INTENT: u8 = 0;
const WITHDRAWAL: u8 = 4;
const INTENT_WITH_CONTENT: u8 = 5;
/// The outcomes a receipt may have, with the numbers that are stored for them.
const RECEIPTS: [(u8, Outcome); 3] = [(1, Outcome::Confirmed), (2, Outcome::Refused), (3, Outcome::Unknown)];

/// Adds an intent.
pub(crate) fn put_intent(lines: &mut Vec<u8>, key_hash: &Hash, payload_hash: &Hash, key: Option<&str>, content: &[u8]) {
    lines.push(if content.is_empty() { INTENT } else { INTENT_WITH_CONTENT });
    lines.extend_from_slice(key_hash);
    lines.extend_from_slice(payload_hash);
    put_text(lines, key);
    if !content.is_empty() {
        put_bytes(lines, Some(content));
    }
}

/// Adds a receipt; its outcome is none of an intent.
pub(crate) fn put_receipt(
    lines: &mut Vec<u8>,
    key_hash: &Hash,
    outcome: Outcome,
    fields: Option<&str>,
    message: Option<&str>,
) {
    lines.push(outcome as u8);
    lines.extend_from_slice(key_hash);
    put_text(lines, fields);
    put_text(lines, message);
}

/// Adds the withdrawal of an intent.
pub(crate) fn put_withdrawal(lines: &mut Vec<u8>, key_hash: &Hash) {
    lines.push(WITHDRAWAL);
    lines.extend_from_slice(key_hash);
}

fn put_text(lines: &mut Vec<u8>, text: Option<&str>) {
    put_bytes(lines, text.map(str::as_bytes));
}

fn put_bytes(lines: &mut Vec<u8>, bytes: Option<&[u8]>) {
    // SQLite takes no value of 4 GiB, nor does a row: it would be refused, not cut.
    let length = bytes.map_or(0, |bytes| u32::try_from(bytes.len() + 1).unwrap_or(u32::MAX));
    lines.extend_from_slice(&length.to_le_bytes());
    lines.extend_from_slice(bytes.unwrap_or_default());
}

/// Takes the next entry off, with the hash of its key; none if what is there is no entry.
pub(crate) fn take<'a>(lines: &mut &'a [u8]) -> Option<(Hash, Entry<'a>)> {
    let [kind] = take_array(lines)?;
    let key_hash = take_array(lines)?;
    let entry = match kind {
        INTENT => Entry::Intent { payload_hash: take_array(lines)?, key: take_text(lines)?, content: &[] },
        INTENT_WITH_CONTENT => {
            let (payload_hash, key) = (take_array(lines)?, take_text(lines)?);
            Entry::Intent { payload_hash, key, content: take_bytes(lines)?? }
        }
        WITHDRAWAL => Entry::Withdrawal,
        _ => {
            let (_, outcome) = RECEIPTS.into_iter().find(|(number, _)| *number == kind)?;
            Entry::Receipt { outcome, fields: take_text(lines)?, message: take_text(lines)? }
        }
    };
    Some((key_hash, entry))
}

fn take_array<const N: usize>(lines: &mut &[u8]) -> Option<[u8; N]> {
    let (array, rest) = lines.split_first_chunk()?;
    *lines = rest;
    Some(*array)
}

/// The outer option is none if there is no text to be read, the inner one if there is none to be had.
fn take_text<'a>(lines: &mut &'a [u8]) -> Option<Option<&'a str>> {
    Some(match take_bytes(lines)? {
        Some(text) => Some(std::str::from_utf8(text).ok()?),
        None => None,
    })
}

/// As [`take_text`].
fn take_bytes<'a>(lines: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let Some(length) = usize::try_from(u32::from_le_bytes(take_array(lines)?)).ok()?.checked_sub(1) else {
        return Some(None);
    };
    let (bytes, rest) = lines.split_at_checked(length)?;
    *lines = rest;
    Some(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed() -> Vec<u8> {
        let mut lines = Vec::new();
        put_receipt(&mut lines, &[1; 16], Outcome::Refused, None, Some("no room — sorry"));
        put_withdrawal(&mut lines, &[2; 16]);
        put_intent(&mut lines, &[3; 16], &[4; 16], Some(""), &[]);
        put_intent(&mut lines, &[5; 16], &[6; 16], None, &[7, 8]);
        for (number, outcome) in RECEIPTS {
            put_receipt(&mut lines, &[number; 16], outcome, Some("{}"), None);
        }
        lines
    }

    #[test]
    fn what_is_put_is_taken() {
        let lines = packed();
        let mut rest = lines.as_slice();
        let seen: Vec<String> =
            std::iter::from_fn(|| take(&mut rest)).map(|(key, entry)| format!("{} {entry:?}", key[0])).collect();
        assert_eq!(rest, [0_u8; 0]);
        assert_eq!(
            seen,
            [
                "1 Receipt { outcome: Refused, fields: None, message: Some(\"no room — sorry\") }",
                "2 Withdrawal",
                "3 Intent { payload_hash: [4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4], key: Some(\"\"), content: [] }",
                "5 Intent { payload_hash: [6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6], key: None, content: [7, 8] }",
                "1 Receipt { outcome: Confirmed, fields: Some(\"{}\"), message: None }",
                "2 Receipt { outcome: Refused, fields: Some(\"{}\"), message: None }",
                "3 Receipt { outcome: Unknown, fields: Some(\"{}\"), message: None }",
            ]
        );
    }

    #[test]
    fn what_is_cut_or_of_no_kind_is_no_entry() {
        let lines = packed();
        let first = 1 + 16 + 4 + 4 + "no room — sorry".len();
        for cut in 0..first {
            assert!(take(&mut &lines[..cut]).is_none(), "{cut}");
        }
        assert!(take(&mut [6; 100].as_slice()).is_none());
    }
}
