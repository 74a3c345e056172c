//! Something a definition lets its users set: configuration, a stream's parameter, an operation's field.

use super::column::{CASES, Case};
use crate::decode::{self, MapReader, Problems};
use crate::document::{Scalar, Tree, Value};
use crate::source_text::Text;
use crate::types::Type;

/// What a setting of a connection is called.
pub(super) const CONFIG: &str = "a setting";

/// `name: {type: text, required: true, default: …, doc: …}`, or `name: type`.
#[derive(Debug, Clone)]
pub struct SettingDoc {
    /// Its name.
    pub name: Text,
    /// Its type.
    pub ty: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Whether it must never be printed.
    pub secret: bool,
    /// Its value when none is given; for parameters and fields a template over `config`.
    pub default: Option<Tree>,
    /// The only values it can have.
    pub values: Vec<Text>,
    /// How it is written in a call; configuration is not.
    pub written: WrittenDoc,
    /// What it is for, with its unit.
    pub doc: Option<Text>,
    /// Where that is said.
    pub source: Option<Text>,
}

/// How a parameter or a field is written in a call.
#[derive(Debug, Clone, Default)]
pub struct WrittenDoc {
    /// The most characters it may have.
    pub max_length: Option<u64>,
    /// In which case it is written.
    pub case: Option<Case>,
    /// How a date or a time is written, in strftime's letters.
    pub format: Option<Text>,
    /// The zone a time is written in; UTC when none.
    pub zone: Option<Text>,
    /// The vendor's words for values. A value that has none is turned down.
    pub words: Vec<(Text, Tree)>,
    /// What stands between the items of a list that is sent as one text.
    pub join: Option<Text>,
}

impl WrittenDoc {
    fn read_from(reader: &mut MapReader<'_, '_>) -> Self {
        Self {
            max_length: reader.int("max_length", 1..=i64::MAX).and_then(|length| u64::try_from(length).ok()),
            case: reader.optional("case", decode::choice(&CASES)),
            format: reader.optional_text("format"),
            zone: reader.optional_text("zone"),
            words: reader.map("words", decode::any),
            join: reader.optional_text("join"),
        }
    }
}

impl SettingDoc {
    /// Reads a mapping of names to settings.
    pub(super) fn read_all(reader: &mut MapReader<'_, '_>, key: &'static str, what: &str) -> Vec<Self> {
        let settings = reader.map(key, |tree, problems| Self::read(tree, what, problems));
        settings.into_iter().map(|(name, setting)| Self { name, ..setting }).collect()
    }

    fn read(tree: &Tree, what: &str, problems: &mut Problems) -> Option<Self> {
        let mut setting = Self {
            name: Text::default(),
            ty: Type::Text,
            required: false,
            secret: false,
            default: None,
            values: Vec::new(),
            written: WrittenDoc::default(),
            doc: None,
            source: None,
        };
        if tree.as_text().is_some() {
            setting.ty = decode::column_type(tree, problems)?;
            return Some(setting);
        }
        let mut reader = MapReader::of(tree, what, problems)?;
        setting.ty = reader.optional("type", decode::column_type).unwrap_or(Type::Text);
        setting.required = reader.bool("required").unwrap_or_default();
        setting.secret = reader.bool("secret").unwrap_or_default();
        setting.default = reader.optional("default", decode::any);
        setting.values = reader.list("values", scalar_text);
        if what != CONFIG {
            setting.written = WrittenDoc::read_from(&mut reader);
        }
        setting.doc = reader.optional_text("doc");
        setting.source = reader.optional_text("source");
        if setting.required {
            reader.conflict("required", "default", "what has a default need not be given: leave `required` out");
        }
        reader.finish();
        Some(setting)
    }
}

/// A scalar as text: `1` and `"1"` are the same among the values a setting can have.
pub(super) fn scalar_text(tree: &Tree, problems: &mut Problems) -> Option<Text> {
    match &tree.value {
        Value::Scalar(Scalar::Text(text)) => Some(text.clone()),
        Value::Scalar(Scalar::Null) | Value::List(_) | Value::Map(_) => {
            decode::wrong_type(tree, "a text or a number", problems);
            None
        }
        Value::Scalar(_) => Some(Text::new(tree.to_json().to_string(), tree.span)),
    }
}
