//! What a record is known by: hashes that stay the same across runs, machines and releases.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use towpath_connector::Record;

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
    fn the_hash_is_that_of_every_release() {
        // Journals of earlier releases hold these: a change here would send everything again.
        let record = json!({"b": null, "a": "é\"\n", "c": [1.5, true, {"z": -1, "y": ""}]});
        let text = "{\"a\":\"é\\\"\\n\",\"b\":null,\"c\":[1.5,true,{\"y\":\"\",\"z\":-1}]}";
        assert_eq!(of(record), Sha256::digest(text.as_bytes())[..16]);
    }
}
