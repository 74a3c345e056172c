//! XML selectors and documents nobody would write: refused with a reason or read, and never a panic.

use proptest::prelude::*;
use std::sync::Arc;
use towpath_files::xml::{Limits, Records, Selector};
use towpath_fuzz::{fuzz, soup};
use towpath_spec::Type;

const SELECTORS: &[&str] = &[
    "/", "//", "*", "a", "b", "r", "@", "@a", ".", "..", "text()", "[", "]", ":", "ü", " ", "a/b", "../", "()", "|",
    "[]", "a[]", "\0",
];
const DOCUMENTS: &[&str] = &[
    "<r>",
    "</r>",
    "<a>",
    "</a>",
    "<b a='1'>",
    "</b>",
    "<a/>",
    "text",
    "&amp;",
    "&#65;",
    "&#xD800;",
    "&x;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x",
    "?>",
    "<!DOCTYPE r [",
    "<!ENTITY e 'x'>",
    "]>",
    "<",
    ">",
    "'",
    "\"",
    "=",
    "<?xml version='1.0' encoding='utf-16'?>",
    "\u{feff}",
    "é",
    "\r\n",
    "\0",
];

fn check(records: &str, field: &str, list: bool, document: &str) {
    let ty = if list { Type::List(Box::new(Type::Text)) } else { Type::Text };
    let fields = [("one".to_owned(), field.to_owned(), ty), ("two".to_owned(), "a/@a".to_owned(), Type::Text)];
    let Ok(selector) = Selector::compile(records, &fields) else { return };
    let limits = Limits { max_value: 1 << 16, max_depth: 50, batch_bytes: 64, window: 7 };
    let mut records = Records::new(Arc::new(selector), document.as_bytes(), limits);
    let mut batches = 0;
    while let Ok(Some(batch)) = records.next_batch(2) {
        assert!(batch.frame.height() > 0, "a batch without rows");
        batches += 1;
        assert!(batches <= document.len(), "more batches than bytes");
    }
}

#[test]
fn fuzz_selectors_and_documents() {
    let inputs = (soup(SELECTORS, 8), soup(SELECTORS, 6), any::<bool>(), soup(DOCUMENTS, 20));
    fuzz("XML selectors and documents", 3_000, inputs, |(records, field, list, document)| {
        check(&records, &field, list, &format!("<r>{document}</r>"));
        check("//*", &field, list, &document);
        Ok(())
    });
}
