//! What a record is known by: hashes that stay the same across runs, machines and releases.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

/// The first half of a SHA-256, as the journal keeps it.
pub(crate) type Hash = [u8; 16];

/// Hashes a JSON value by its meaning: the order of an object's fields does not count.
pub(crate) fn hash(value: &Json) -> Hash {
    let mut text = String::new();
    canonical(value, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    let mut out = [0; 16];
    out.copy_from_slice(&digest[..16]);
    out
}

fn canonical(value: &Json, out: &mut String) {
    match value {
        Json::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable();
            out.push('{');
            for (at, name) in names.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Json::from(name.as_str()).to_string());
                out.push(':');
                canonical(&fields[name], out);
            }
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        other => out.push_str(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::hash;
    use serde_json::json;

    #[test]
    fn the_order_of_fields_does_not_count_and_values_do() {
        assert_eq!(
            hash(&json!({"a": 1, "b": [1, {"x": 1, "y": 2}]})),
            hash(&json!({"b": [1, {"y": 2, "x": 1}], "a": 1}))
        );
        assert_ne!(hash(&json!({"a": 1})), hash(&json!({"a": "1"})));
        assert_ne!(hash(&json!([1, 2])), hash(&json!([2, 1])));
    }

    #[test]
    fn the_hash_is_that_of_every_release() {
        // Journals of earlier releases hold these: a change here would send everything again.
        let hex: String = hash(&json!({"b": null, "a": "é"})).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected());
    }

    fn expected() -> String {
        use sha2::{Digest, Sha256};
        Sha256::digest("{\"a\":\"é\",\"b\":null}".as_bytes())[..16].iter().map(|b| format!("{b:02x}")).collect()
    }
}
