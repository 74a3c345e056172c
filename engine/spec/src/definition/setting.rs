//! Something a definition lets its users set: configuration, a stream's parameter, an operation's field.

use crate::decode::{self, MapReader, Problems};
use crate::document::{Scalar, Tree, Value};
use crate::source_text::Text;
use crate::types::Type;

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
    /// What it is for, with its unit.
    pub doc: Option<Text>,
    /// Where that is said.
    pub source: Option<Text>,
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
