//! `short_key`.

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Problem, Rest, example, needed};
use crate::value::Value;

use sha2::Digest;

fn key(text: &str, n: usize) -> String {
    let mut key = data_encoding::BASE32_NOPAD.encode(&sha2::Sha256::digest(text)).to_ascii_lowercase();
    key.truncate(n);
    key
}

pub(super) static FUNCTION: Function = Function {
    name: "short_key",
    kinds: &[FunctionKind::Filter],
    signature: "value | short_key(n) -> text",
    doc: "A key of `n` characters (1 to 52: small letters and the digits 2 to 7) made from the SHA-256 of the text of the value: the same in every run and release.",
    examples: &[
        example("{{ 'Fire safety' | short_key(8) }}", "zxsau7fg"),
        example("{{ 'abc' | short_key(6) }}", "xj4bnp"),
    ],
    parameters: &[needed("value"), needed("n")],
    rest: Rest::None,
    bind: |binder| {
        let n = match binder.constant_int(1)? {
            Some(n @ 1..=52) => usize::try_from(n).unwrap_or(52),
            _ => {
                return Err(Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, "expected a length of 1 to 52"));
            }
        };
        if *binder.ty(0) == Type::Text {
            return binder.text_to_text(false, move |text, _| Ok(key(text, n).into()));
        }
        let bound = binder.rows(Type::Text, false, "its input is not text", move |args, _| {
            Ok(Value::from(key(&args[0].to_text(), n)))
        });
        Ok(Bound { fallible: false, ..bound })
    },
};
