//! `hash`.

use towpath_spec::Type;

use super::{Bound, Function, FunctionKind, Problem, Rest, example, needed, optional};
use crate::value::Value;

use sha2::Digest;

fn sha256(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(text))
}

fn md5(text: &str) -> String {
    data_encoding::HEXLOWER.encode(&md5::Md5::digest(text))
}

fn xxh64(text: &str) -> String {
    format!("{:016x}", xxhash_rust::xxh64::xxh64(text.as_bytes(), 0))
}

pub(super) static FUNCTION: Function = Function {
    name: "hash",
    kinds: &[FunctionKind::Filter],
    signature: "value | hash(algorithm='sha256') -> text",
    doc: "A hash of the UTF-8 text of the value, in small hexadecimal digits, the same in every run and release: `sha256`, `md5` or `xxh64`.",
    examples: &[
        example("{{ 'abc' | hash }}", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        example("{{ 'abc' | hash('md5') }}", "900150983cd24fb0d6963f7d28e17f72"),
        example("{{ 'abc' | hash('xxh64') }}", "44bc2cf5ad770999"),
    ],
    parameters: &[needed("value"), optional("algorithm")],
    rest: Rest::None,
    bind: |binder| {
        let algorithm = match binder.constant_text(1)?.unwrap_or("sha256") {
            "sha256" => sha256,
            "md5" => md5,
            "xxh64" => xxh64,
            other => {
                return Err(Problem {
                    help: Some("`sha256`, `md5` and `xxh64` are offered".into()),
                    ..Problem::new(towpath_spec::codes::WRONG_ARGUMENTS, 1, format!("unknown hash `{other}`"))
                });
            }
        };
        if *binder.ty(0) == Type::Text {
            return binder.text_to_text(false, move |text, _| Ok(algorithm(text).into()));
        }
        let bound = binder.rows(Type::Text, false, "its input is not text", move |args, _| {
            Ok(Value::from(algorithm(&args[0].to_text())))
        });
        Ok(Bound { fallible: false, ..bound })
    },
};
