//! The columns of a stream and how a vendor's text becomes values.

use super::setting::scalar_text;
use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::Text;
use crate::types::Type;

/// How a vendor writes values. Each field set on a column replaces that of the stream, which replaces the definition's.
#[derive(Debug, Clone, Default)]
pub struct ColumnRules {
    /// Texts that mean null.
    pub nulls: Option<Vec<Text>>,
    /// Whether white space around text is taken off.
    pub trim: Option<bool>,
    /// Date and time formats in strftime's letters, tried in order after ISO 8601.
    pub formats: Option<Vec<Text>>,
    /// The zone of times written without one; UTC when none.
    pub zone: Option<Text>,
    /// In which case text is kept.
    pub case: Option<Case>,
    /// What stands between the items of a list that is written as one text.
    pub split: Option<Text>,
    /// Texts that mean true, whatever their case.
    pub yes: Option<Vec<Text>>,
    /// Texts that mean false, whatever their case.
    pub no: Option<Vec<Text>>,
}

/// A case of letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// Small letters.
    Lower,
    /// Capital letters.
    Upper,
}

/// The words for cases.
pub(super) const CASES: [(&str, Case); 2] = [("lower", Case::Lower), ("upper", Case::Upper)];

/// A column: `name: {type: …}`, or `name: type`.
#[derive(Debug, Clone)]
pub struct ColumnDoc {
    /// Its name.
    pub name: Text,
    /// Its type.
    pub ty: Type,
    /// Where in the record it stands: a JSONPath, an XML path such as `learningModule/title`, or in CSV the header of a
    /// column; a member, child element or header of the column's name when none.
    pub from: Option<Text>,
    /// How it is written.
    pub rules: ColumnRules,
    /// What it holds.
    pub doc: Option<Text>,
    /// Where that is said.
    pub source: Option<Text>,
}

impl ColumnRules {
    fn read_from(reader: &mut MapReader<'_, '_>) -> Self {
        Self {
            nulls: reader.optional("nulls", decode::list(scalar_text)),
            trim: reader.bool("trim"),
            formats: reader.optional("formats", decode::one_or_many(decode::text)),
            zone: reader.optional_text("zone"),
            case: reader.optional("case", decode::choice(&CASES)),
            split: reader.optional_text("split"),
            yes: reader.optional("yes", decode::one_or_many(scalar_text)),
            no: reader.optional("no", decode::one_or_many(scalar_text)),
        }
    }

    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "rules of columns", problems)?;
        let rules = Self::read_from(&mut reader);
        reader.finish();
        Some(rules)
    }
}

impl ColumnDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut column = Self {
            name: Text::default(),
            ty: Type::Text,
            from: None,
            rules: ColumnRules::default(),
            doc: None,
            source: None,
        };
        if tree.as_text().is_some() {
            column.ty = decode::column_type(tree, problems)?;
            return Some(column);
        }
        let mut reader = MapReader::of(tree, "a column", problems)?;
        column.ty = reader.optional("type", decode::column_type).unwrap_or(Type::Text);
        column.from = reader.optional_text("from");
        column.rules = ColumnRules::read_from(&mut reader);
        column.doc = reader.optional_text("doc");
        column.source = reader.optional_text("source");
        reader.finish();
        Some(column)
    }
}
