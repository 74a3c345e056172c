//! `uuid5`.

use sha1::{Digest, Sha1};
use towpath_spec::Type;

use super::bound::ARGUMENTS;
use super::{Bound, Function, FunctionKind, Problem, Rest, example, needed};
use crate::value::Value;

/// The namespaces of RFC 9562, section 6.6; they differ in one byte.
const NAMESPACES: [(&str, u8); 4] = [("dns", 0x10), ("url", 0x11), ("oid", 0x12), ("x500", 0x14)];

/// A namespace by its name or as a UUID.
fn namespace(written: &str) -> Option<[u8; 16]> {
    let standard =
        |byte| [0x6b, 0xa7, 0xb8, byte, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8];
    if let Some((_, byte)) = NAMESPACES.iter().find(|(name, _)| *name == written) {
        return Some(standard(*byte));
    }
    let groups: Vec<usize> = written.split('-').map(str::len).collect();
    let hex = written.replace('-', "").to_ascii_lowercase();
    let fits = groups == [8, 4, 4, 4, 12] && written.is_ascii();
    data_encoding::HEXLOWER.decode(hex.as_bytes()).ok().filter(|_| fits)?.try_into().ok()
}

/// RFC 9562, section 5.5: SHA-1 of namespace and name, with version and variant put in.
fn uuid5(namespace: [u8; 16], name: &str) -> String {
    let hash = Sha1::new().chain_update(namespace).chain_update(name).finalize();
    let mut bytes: Vec<u8> = hash.iter().copied().take(16).collect();
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

pub(super) static FUNCTION: Function = Function {
    name: "uuid5",
    kinds: &[FunctionKind::Filter],
    signature: "value | uuid5(namespace) -> text",
    doc: "The UUID of version 5 (RFC 9562) of the text of the value in a namespace: `dns`, `url`, `oid`, `x500`, or a UUID of your own. The same in every run, release and other program, so it serves as a key.",
    examples: &[
        example("{{ 'www.example.com' | uuid5(namespace='dns') }}", "2ed6657d-e927-568b-95e1-2665a8aea6a2"),
        example("{{ 'python.org' | uuid5('dns') }}", "886313e1-3b8a-5372-9b90-0c9aee199e5d"),
        example("{{ 42 | uuid5('6ba7b811-9dad-11d1-80b4-00c04fd430c8') == '42' | uuid5('url') }}", "true"),
    ],
    parameters: &[needed("value"), needed("namespace")],
    rest: Rest::None,
    bind: |binder| {
        let written = binder.constant_text(1)?.unwrap_or_default();
        let Some(namespace) = namespace(written) else {
            let message = format!("`{written}` is no namespace");
            return Err(Problem::new(ARGUMENTS, 1, message).help("`dns`, `url`, `oid`, `x500`, or a UUID"));
        };
        if *binder.ty(0) == Type::Text {
            return binder.text_to_text(false, move |text, _| Ok(uuid5(namespace, text).into()));
        }
        let bound = binder.rows(Type::Text, false, "its input is not text", move |args, _| {
            Ok(Value::from(uuid5(namespace, &args[0].to_text())))
        });
        Ok(Bound { fallible: false, ..bound })
    },
};
