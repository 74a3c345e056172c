//! One JSON value after the other out of a file.

use super::Options;
use crate::open::{self, io_error};
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::io::{BufRead, Read};
use std::path::Path;
use towpath_connector::{Error, Result};
use towpath_mapping::{ExactJson, exact_json};

/// The largest document that is read as a whole.
const LARGEST: u64 = 512 << 20;

/// How values follow each other in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Lines,
    Document,
}

/// A value, or why there is none, with its line (lines) or number (documents), from 1.
pub(super) struct Found {
    pub(super) value: std::result::Result<Value, String>,
    pub(super) at: u64,
    pub(super) unit: &'static str,
}

/// The values of a file.
pub(super) struct Values<'a> {
    pub(super) file: &'a Path,
    pub(super) options: &'a Options,
}

impl Values<'_> {
    /// Calls `take` with each value until it says false.
    ///
    /// # Errors
    /// The file cannot be read or, unless it is lines, is not JSON.
    pub(super) fn each(&self, take: impl FnMut(Found) -> bool) -> Result<()> {
        let mut reader = open::open(self.file)?;
        let io = |error| io_error(self.file, error);
        if reader.fill_buf().map_err(io)?.starts_with(b"\xef\xbb\xbf") {
            reader.consume(3);
        }
        skip_space(&mut reader).map_err(io)?;
        let head = reader.fill_buf().map_err(io)?;
        let first = head.first().copied();
        if first == Some(b'<') {
            let start: String = String::from_utf8_lossy(head).chars().take(60).take_while(|c| *c != '\n').collect();
            let what = format!("{} is not JSON: it begins with `{}`", self.file.display(), start.trim_end());
            return Err(
                Error::data(what).help("HTML or XML was put where JSON was expected; see where the file comes from")
            );
        }
        match (&self.options.records, self.options.form, first) {
            (_, _, None) => Ok(()),
            (Some(path), ..) => self.by_path(reader, path, take),
            (None, Some(Form::Lines), _) => self.lines(Vec::new(), reader, take),
            (None, Some(Form::Document), _) | (None, None, Some(b'[')) => self.array(reader, first, take),
            (None, None, _) => {
                let mut line = Vec::new();
                reader.read_until(b'\n', &mut line).map_err(io)?;
                if serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok() || !opens(&line) {
                    self.lines(line, reader, take)
                } else {
                    self.array(std::io::Cursor::new(line).chain(reader), first, take)
                }
            }
        }
    }

    fn lines(&self, mut line: Vec<u8>, mut reader: impl BufRead, mut take: impl FnMut(Found) -> bool) -> Result<()> {
        let mut at = 0;
        loop {
            if line.is_empty() {
                reader.read_until(b'\n', &mut line).map_err(|error| io_error(self.file, error))?;
            }
            if line.is_empty() {
                return Ok(());
            }
            at += 1;
            if !line.trim_ascii().is_empty() {
                let value = serde_json::from_slice(&exact_json(&line)).map_err(|error| {
                    let start: String = String::from_utf8_lossy(&line).chars().take(60).collect();
                    // The parser knows only this line, and calls it the first.
                    let why = error.to_string();
                    let why = why.split(" at line ").next().unwrap_or_default();
                    format!("no JSON at column {}: {why}: `{}`", error.column(), start.trim_end())
                });
                if !take(Found { value, at, unit: "line" }) {
                    return Ok(());
                }
            }
            line.clear();
        }
    }

    /// The items of an array, or a single value.
    fn array(&self, reader: impl BufRead, first: Option<u8>, mut take: impl FnMut(Found) -> bool) -> Result<()> {
        let mut json = serde_json::Deserializer::from_reader(std::io::BufReader::new(ExactJson::new(reader)));
        let mut stopped = false;
        let done = if first == Some(b'[') {
            let items = Items { take: &mut take, stopped: &mut stopped };
            items.deserialize(&mut json)
        } else {
            serde::Deserialize::deserialize(&mut json).map(|value| {
                stopped = !take(Found { value: Ok(value), at: 1, unit: "record" });
            })
        };
        match done.and_then(|()| json.end()) {
            Err(error) if !stopped => Err(self.not_json(&error)),
            _ => Ok(()),
        }
    }

    fn by_path(&self, reader: impl BufRead, path: &str, mut take: impl FnMut(Found) -> bool) -> Result<()> {
        let mut text = Vec::new();
        let read = reader.take(LARGEST + 1).read_to_end(&mut text);
        read.map_err(|error| io_error(self.file, error))?;
        if text.len() as u64 > LARGEST {
            let message =
                format!("{} is larger than the 512 MB a document with `records` may have", self.file.display());
            return Err(Error::user(message).help("turn it into JSON lines, e.g. with `jq -c '.items[]'`"));
        }
        let document: Value = serde_json::from_slice(&exact_json(&text)).map_err(|error| self.not_json(&error))?;
        drop(text);
        let found = jsonpath_rust::JsonPath::query(&document, path)
            .map_err(|error| Error::user(format!("`records`: {error}")))?;
        for (at, value) in (1..).zip(found) {
            if !take(Found { value: Ok(value.clone()), at, unit: "record" }) {
                break;
            }
        }
        Ok(())
    }

    fn not_json(&self, error: &serde_json::Error) -> Error {
        let error = Error::data(format!("{} is not JSON: {error}", self.file.display()));
        error.help("check whether the file is whole, and `format:`")
    }
}

/// Whether a line may be the beginning of a value that goes on.
fn opens(line: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(line).into_iter::<serde::de::IgnoredAny>();
    matches!(values.next(), Some(Err(error)) if error.is_eof())
}

fn skip_space(reader: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let bytes = reader.fill_buf()?;
        let space = bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if space == 0 {
            return Ok(());
        }
        reader.consume(space);
    }
}

/// Reads an array item by item.
struct Items<'a, F> {
    take: &'a mut F,
    stopped: &'a mut bool,
}

impl<'de, F: FnMut(Found) -> bool> DeserializeSeed<'de> for Items<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> std::result::Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Found) -> bool> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of records")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<(), A::Error> {
        let mut at = 0;
        while let Some(value) = items.next_element::<Value>()? {
            at += 1;
            if !(self.take)(Found { value: Ok(value), at, unit: "record" }) {
                *self.stopped = true;
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}
