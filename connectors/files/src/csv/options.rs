//! Settings of CSV sources.

use crate::connector::{About, Problems, count, texts, word};
use encoding_rs::{Encoding, UTF_8};
use serde_json::json;
use towpath_connector::{Problem, Setting, Settings};
use towpath_spec::Type;

/// How a file is written.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    pub(crate) header: bool,
    pub(crate) encoding: &'static Encoding,
    pub(crate) null_values: Vec<String>,
    pub(crate) skip_rows: usize,
    pub(crate) comment: Option<String>,
    pub(crate) sample_rows: usize,
    /// Rows of another number of fields are put aside, else they end the run.
    pub(crate) reject_ragged: bool,
}

pub(super) fn about() -> About {
    let list = Type::List(Box::new(Type::Text));
    About {
        name: "csv",
        doc: "Lines of fields: comma-separated values and their kin. An empty field is null, `\"\"` is empty text. \
              Types are guessed from a sample unless `columns` declares them; a value that does not fit makes its row \
              a reject.",
        source: vec![
            Setting::new("delimiter", Type::Text, "What stands between fields: one ASCII character, or `\\t`.")
                .default(","),
            Setting::new("quote", Type::Text, "What fields may be quoted with: one ASCII character, or `none`.")
                .default("\""),
            Setting::new("header", Type::Bool, "Whether the first row has the names; else they are `column_1`, …")
                .default(true),
            Setting::new("encoding", Type::Text, "Encoding by its web name, e.g. `windows-1252`, `utf-16le`.")
                .default("utf-8"),
            Setting::new("null_values", list, "Texts that mean null, beside the empty field.").default(json!([])),
            Setting::new("skip_rows", Type::Int, "Lines to pass over before the header.").default(0),
            Setting::new("comment", Type::Text, "Lines that begin with this are passed over."),
            Setting::new("sample_rows", Type::Int, "Rows the types are guessed from.").default(1000),
            Setting::new(
                "on_ragged",
                Type::Text,
                "What happens to a row with too few or too many fields: `fail` ends the run before anything is read, \
                 `reject` puts the row aside (and reads line by line, which is slower).",
            )
            .default("fail")
            .one_of(&["fail", "reject"]),
        ],
        sink: Some(vec![
            Setting::new("delimiter", Type::Text, "What stands between fields: one ASCII character, or `\\t`.")
                .default(","),
            Setting::new("header", Type::Bool, "Whether the first row has the names.").default(true),
            Setting::new("null_value", Type::Text, "What null is written as.").default(""),
            Setting::new(
                "escape_formulas",
                Type::Bool,
                "Whether texts a spreadsheet would take for a formula get a `'` in front: those that begin with `=`, `+`, `-`, \
                 `@`, a tab or a carriage return, in the header, too. Numbers stay as they are.",
            )
            .default(false),
            crate::connector::partition_by(),
            crate::connector::max_rows(),
        ]),
    }
}

impl Options {
    pub(super) fn read(settings: &Settings) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let encoding = settings.text("encoding").map_or(Ok(UTF_8), |label| {
            let problem = || {
                Problem::with("encoding", format!("unknown encoding `{label}`"))
                    .help("for example `utf-8`, `windows-1252`, `iso-8859-15`, `utf-16le`")
            };
            Encoding::for_label(label.as_bytes()).ok_or_else(problem)
        });
        let quote = match settings.text("quote").as_deref() {
            Some("none" | "") => Ok(None),
            _ => byte(settings, "quote", b'"').map(Some),
        };
        let options = Self {
            delimiter: keep(byte(settings, "delimiter", b','), &mut problems).unwrap_or(b','),
            quote: keep(quote, &mut problems).flatten(),
            header: settings.bool("header").unwrap_or(true),
            encoding: keep(encoding, &mut problems).unwrap_or(UTF_8),
            null_values: keep(texts(settings, "null_values"), &mut problems).unwrap_or_default(),
            skip_rows: keep(count(settings, "skip_rows", 0), &mut problems).unwrap_or_default(),
            comment: settings.text("comment").filter(|comment| !comment.is_empty()),
            sample_rows: keep(count(settings, "sample_rows", 1000), &mut problems).unwrap_or_default(),
            reject_ragged: keep(word(settings, "on_ragged", &["fail", "reject"]), &mut problems)
                .flatten()
                .is_some_and(|word| word == "reject"),
        };
        if problems.is_empty() && options.quote == Some(options.delimiter) {
            problems.push(Problem::with("quote", "`quote` and `delimiter` are the same character"));
        }
        if problems.is_empty() { Ok(options) } else { Err(problems) }
    }

    /// Whether a line is to be passed over.
    #[inline]
    pub(super) fn is_comment(&self, line: &[u8]) -> bool {
        self.comment.as_ref().is_some_and(|comment| line.starts_with(comment.as_bytes()))
    }
}

fn keep<T>(found: Result<T, Problem>, problems: &mut Problems) -> Option<T> {
    found.map_err(|problem| problems.push(problem)).ok()
}

/// A setting of one ASCII character.
pub(crate) fn byte(settings: &Settings, name: &str, default: u8) -> Result<u8, Problem> {
    match settings.text(name).as_deref() {
        None => Ok(default),
        Some("\\t" | "tab") => Ok(b'\t'),
        Some(text) => match text.as_bytes() {
            [byte] if byte.is_ascii() && !b"\r\n".contains(byte) => Ok(*byte),
            _ => Err(Problem::with(name, format!("`{name}` is `{text}`, expected one ASCII character or `\\t`"))),
        },
    }
}
