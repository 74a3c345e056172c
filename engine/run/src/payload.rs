//! What a record is known by: hashes that stay the same across runs, machines and releases.
//!
//! The journal keeps no content: whose data it is does not want it in one more place. Beside the hash that tells whether a record
//! is another one, short hashes of its fields tell which of them are. On those nothing depends but what people are told.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use towpath_connector::Record;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// The first half of a SHA-256, as the journal keeps it.
pub(crate) type Hash = [u8; 16];

/// Hashes a record by its meaning: the order of an object's fields does not count.
pub(crate) fn hash(record: &Record) -> Hash {
    let mut text = Vec::with_capacity(512);
    object(record, &mut text);
    let digest = Sha256::digest(&text);
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

/// Bytes of a field's name, and of its value.
const SHORT: usize = 4;

/// What the fields of a record hash to, but for those that are left out: for each its name, then its value, in short. The same
/// value hashes to something else in the record of another key, so that nobody sees who has the same.
pub(crate) fn content(record: &Record, key: &Hash, left_out: &[String]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 * SHORT * record.len());
    let mut text = Vec::new();
    for (name, value) in record.iter().filter(|(name, _)| !left_out.contains(name)) {
        text.clear();
        canonical(value, &mut text);
        out.extend(pair(name, &text, key));
    }
    out
}

fn pair(name: &str, value: &[u8], key: &Hash) -> impl Iterator<Item = u8> + use<> {
    let [a, b, c, d, e, f, g, h, ..] = *key;
    let seed = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let short = |hash: u64| hash.to_le_bytes().into_iter().take(SHORT);
    short(xxh3_64(name.as_bytes())).chain(short(xxh3_64_with_seed(value, seed)))
}

/// Fields that are named in a sentence.
const NAMED: usize = 5;

/// How a record differs from one that was sent before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Differing {
    /// Fields with another value than before, and those that were not there, in the record's order.
    pub fields: Vec<String>,
    /// How many fields were there that are not there now: their names are not known.
    pub gone: usize,
}

impl Differing {
    /// The fields, for a sentence: which differ, and how many are not there any more. Empty where none is known to.
    pub fn told(&self) -> String {
        let mut parts: Vec<String> = self.fields.iter().take(NAMED).map(|name| format!("`{name}`")).collect();
        if self.fields.len() > NAMED {
            parts.push(format!("{} more", self.fields.len() - NAMED));
        }
        match self.gone {
            0 => {}
            1 => parts.push("one that is not sent any more".to_owned()),
            many => parts.push(format!("{many} that are not sent any more")),
        }
        match parts.split_last() {
            None => String::new(),
            Some((only, [])) => only.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        }
    }
}

/// Which fields of a record differ from those of one of its key that was sent, given their [`content`]; none where that is not
/// known.
pub(crate) fn differing(before: &[u8], record: &Record, key: &Hash, left_out: &[String]) -> Option<Differing> {
    let (pairs, rest) = before.as_chunks::<{ 2 * SHORT }>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    let mut before: BTreeMap<&[u8], &[u8]> = pairs.iter().map(|pair| pair.split_at(SHORT)).collect();
    let now = content(record, key, left_out);
    let mut fields = Vec::new();
    for (name, pair) in record.keys().filter(|name| !left_out.contains(name)).zip(now.chunks_exact(2 * SHORT)) {
        let (hash, value) = pair.split_at(SHORT);
        if before.remove(hash) != Some(value) {
            fields.push(name.clone());
        }
    }
    Some(Differing { fields, gone: before.len() })
}

fn canonical(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::Object(fields) => object(fields, out),
        Json::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                canonical(item, out);
            }
            out.push(b']');
        }
        Json::String(text) => string(text, out),
        // Memory takes everything: writing a scalar into it cannot fail.
        other => serde_json::to_writer(out, other).unwrap_or_default(),
    }
}

fn object(fields: &Record, out: &mut Vec<u8>) {
    let mut sorted: Vec<(&String, &Json)> = fields.iter().collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    out.push(b'{');
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        string(name, out);
        out.push(b':');
        canonical(value, out);
    }
    out.push(b'}');
}

fn string(text: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(value: Json) -> Hash {
        hash(value.as_object().expect("an object"))
    }

    #[test]
    fn the_order_of_fields_does_not_count_and_values_do() {
        assert_eq!(of(json!({"a": 1, "b": [1, {"x": 1, "y": 2}]})), of(json!({"b": [1, {"y": 2, "x": 1}], "a": 1})));
        assert_ne!(of(json!({"a": 1})), of(json!({"a": "1"})));
        assert_ne!(of(json!({"a": [1, 2]})), of(json!({"a": [2, 1]})));
    }

    #[test]
    fn fields_that_differ_are_named() {
        let record = |value: Json| value.as_object().cloned().expect("an object");
        let (key, left_out) = ([1; 16], vec!["password".to_owned()]);
        let before = json!({"id": 1, "password": "a", "name": "Ann", "town": {"zip": "1", "name": "Ulm"}, "age": 7});
        let before = content(&record(before), &key, &left_out);
        assert_eq!(before.len(), 4 * 8, "a password is not in it");
        let after =
            json!({"id": 1, "town": {"name": "Ulm", "zip": "1"}, "password": "b", "name": "Anne", "mail": null});
        let after = record(after);
        let found = differing(&before, &after, &key, &left_out).expect("it is known what was sent");
        assert_eq!(found.told(), "`name`, `mail` and one that is not sent any more");
        assert_eq!(found, Differing { fields: vec!["name".into(), "mail".into()], gone: 1 });
        assert_eq!(differing(&[], &after, &key, &left_out), None);
        assert_eq!(differing(&before[1..], &after, &key, &left_out), None, "that is of nobody");
        let other = content(&after, &[2; 16], &left_out);
        assert_eq!(
            differing(&other, &after, &key, &left_out).map(|found| found.fields.len()),
            Some(4),
            "of another key"
        );
    }

    #[test]
    fn the_short_hashes_are_those_of_every_release() {
        let record = json!({"id": 1}).as_object().cloned().expect("an object");
        let [name, value] = [xxh3_64(b"id"), xxh3_64_with_seed(b"1", 0x0101_0101_0101_0101)].map(u64::to_le_bytes);
        assert_eq!(content(&record, &[1; 16], &[]), [&name[..4], &value[..4]].concat());
    }

    #[test]
    fn the_hash_is_that_of_every_release() {
        // Journals of earlier releases hold these: a change here would send everything again.
        let record = json!({"b": null, "a": "é\"\n", "c": [1.5, true, {"z": -1, "y": ""}]});
        let text = "{\"a\":\"é\\\"\\n\",\"b\":null,\"c\":[1.5,true,{\"y\":\"\",\"z\":-1}]}";
        assert_eq!(of(record), Sha256::digest(text.as_bytes())[..16]);
    }
}
