//! Reads typed values from a [`Tree`](crate::document::Tree) and finds every problem on the way, not just the first.
//!
//! A [`MapReader`] is asked for the keys of one mapping, each with a function that reads its value ([`text()`],
//! [`int`], [`list`], …, or one of your own), and complains at the end about keys nobody asked for. A value that
//! cannot be read is `None` and a diagnostic; reading goes on.
//!
//! ```
//! use towpath_spec::{Files, decode::{self, MapReader}, parse_yaml};
//!
//! let mut files = Files::new();
//! let file = files.add("a.yaml", "path: /users\nmethod: GTE\npagesize: 50\n");
//! let tree = parse_yaml(&files, file).unwrap();
//! let mut problems = Vec::new();
//! let mut reader = MapReader::of(&tree, "a request", &mut problems).unwrap();
//! let path = reader.required("path", decode::text);
//! let method = reader.optional("method", decode::choice(&[("GET", 0), ("POST", 1)]));
//! let size = reader.optional("page_size", decode::int(1..=500));
//! reader.finish();
//! assert_eq!(path.unwrap().value, "/users");
//! assert_eq!((method, size), (None, None));
//! assert_eq!(problems[0].message, "`method`: expected `GET` or `POST`, found `GTE`");
//! assert_eq!(problems[1].help.as_deref(), Some("did you mean `page_size`?"));
//! ```

mod reader;
#[cfg(test)]
pub(crate) mod trace;
mod values;

pub use reader::MapReader;
pub use values::{
    any, bool, bytes, choice, column_type, duration, expression, int, list, map, name, number, one_or_many, rate, text,
    wrong_type,
};
pub(crate) use values::{of_key, valid_name};

use crate::diagnostic::Diagnostic;

/// Where problems are collected.
pub type Problems = Vec<Diagnostic>;
