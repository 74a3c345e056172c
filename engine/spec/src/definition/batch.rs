//! Operations that take several records in a call, and how their answers say what became of each.

use super::policy::SuccessDoc;
use crate::codes;
use crate::decode::{self, MapReader, Problems};
use crate::diagnostic::Diagnostic;
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// The most records a call may take.
const MAX_BATCH: i64 = 100_000;

/// `batch: {size: N}`: a call takes up to so many records; its templates have `records` in the place of `record`.
#[derive(Debug, Clone)]
pub struct BatchDoc {
    /// The most records of a call.
    pub size: usize,
    /// The whole entry.
    pub span: Span,
}

/// `items:`: where an answer says what became of each record. Without it the answer holds for all of them.
#[derive(Debug, Clone)]
pub struct ItemsDoc {
    /// JSONPath to the items.
    pub path: Text,
    /// Which record an item is about.
    pub by: ItemsBy,
    /// What a good item looks like; its paths start at the item. Every item there is is good when this says `status`.
    pub success: SuccessDoc,
    /// JSONPaths from the item to the vendor's words, in the place of those of the operation.
    pub error_message: Option<Vec<Text>>,
    /// The whole entry.
    pub span: Span,
}

/// Which record an item of an answer is about.
#[derive(Debug, Clone)]
pub enum ItemsBy {
    /// The n-th item is about the n-th record of the call.
    Position,
    /// A value of the item is that of a field of the record.
    Field {
        /// The field of the record.
        field: Text,
        /// JSONPath from the item.
        from: Text,
    },
}

/// `response:` of an operation.
#[derive(Debug, Clone, Default)]
pub struct ResponseDoc {
    /// How the answer is written.
    pub format: AnswerFormat,
    /// For `csv`: the records come back, each with what became of it.
    pub echo: Option<EchoDoc>,
    /// The whole entry.
    pub span: Span,
}

/// How the answer of an operation is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AnswerFormat {
    /// JSON.
    #[default]
    Json,
    /// XML, looked at as JSON: `@attribute`, `#text`, a repeated element is a list.
    Xml,
    /// A text; `$` is all of it.
    Text,
    /// CSV; the lines are looked at as a text unless there is an `echo`.
    Csv,
    /// Nothing is read from it.
    None,
}

/// `echo:`: the answer repeats the records line by line and says in one column what is wrong with each.
#[derive(Debug, Clone)]
pub struct EchoDoc {
    /// Lines before the header, or before the first record.
    pub skip_lines: usize,
    /// Whether a line with the names of the columns stands before the records.
    pub header: bool,
    /// The column with the message.
    pub error_column: ErrorColumn,
    /// What a message that is only a warning starts with.
    pub warning_prefix: Option<Text>,
    /// What stands in the last line when nothing went wrong.
    pub success_text: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// Which column of an echo has the message.
#[derive(Debug, Clone)]
pub enum ErrorColumn {
    /// The last one.
    Last,
    /// The one of this name.
    Named(Text),
}

impl BatchDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`batch`", problems)?;
        let size = reader.required("size", decode::int(1..=MAX_BATCH)).and_then(|size| usize::try_from(size).ok());
        reader.finish();
        Some(Self { size: size?, span: tree.span })
    }
}

impl ItemsDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`items`", problems)?;
        let path = reader.required_text("path");
        let by = reader.optional("by", ItemsBy::read).unwrap_or(ItemsBy::Position);
        let success = reader.optional("success", SuccessDoc::read).unwrap_or_default();
        let error_message = reader.optional("error_message", decode::one_or_many(decode::text));
        reader.finish();
        Some(Self { path: path?, by, success, error_message, span: tree.span })
    }
}

impl ItemsBy {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if tree.as_text().is_some() {
            decode::choice(&[("position", ())])(tree, problems)?;
            return Some(Self::Position);
        }
        let mut reader = MapReader::of(tree, "`by`", problems)?;
        let (field, from) = (reader.required_text("field"), reader.required_text("from"));
        reader.finish();
        Some(Self::Field { field: field?, from: from? })
    }
}

const FORMATS: [(&str, AnswerFormat); 5] = [
    ("json", AnswerFormat::Json),
    ("xml", AnswerFormat::Xml),
    ("text", AnswerFormat::Text),
    ("csv", AnswerFormat::Csv),
    ("none", AnswerFormat::None),
];

impl ResponseDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`response`", problems)?;
        let format = reader.required("format", decode::choice(&FORMATS));
        let echo = reader.optional("echo", EchoDoc::read);
        if let (Some(echo), Some(format)) = (&echo, format)
            && format != AnswerFormat::Csv
        {
            let problem = Diagnostic::error(codes::CONFLICTING_KEYS, echo.span, "`echo` is for answers in CSV");
            reader.problem(problem.help("write `format: csv`, or leave `echo` out"));
        }
        reader.finish();
        Some(Self { format: format?, echo, span: tree.span })
    }
}

impl EchoDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`echo`", problems)?;
        let skip_lines = reader.int("skip_lines", 0..=1000).and_then(|lines| usize::try_from(lines).ok());
        let header = reader.bool("header").unwrap_or(true);
        let error_column = reader.optional_text("error_column");
        let echo = Self {
            skip_lines: skip_lines.unwrap_or_default(),
            header,
            error_column: match error_column {
                Some(name) if name.value != "last" => ErrorColumn::Named(name),
                _ => ErrorColumn::Last,
            },
            warning_prefix: reader.optional_text("warning_prefix"),
            success_text: reader.optional_text("success_text"),
            span: tree.span,
        };
        if let (ErrorColumn::Named(name), false) = (&echo.error_column, header) {
            let message = format!("`error_column` is `{name}`, and without a header columns have no names");
            reader.problem(
                Diagnostic::error(codes::CONFLICTING_KEYS, name.span, message)
                    .help("write `error_column: last`, or leave `header: false` out"),
            );
        }
        reader.finish();
        Some(echo)
    }
}
