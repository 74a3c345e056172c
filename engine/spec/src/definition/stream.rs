//! What can be read.

use super::column::{ColumnDoc, ColumnRules};
use super::paginator::PaginatorDoc;
use super::policy::{AbsentDoc, ErrorHandlerDoc, SuccessDoc};
use super::request::RequestDoc;
use super::router::RouterDoc;
use super::setting::SettingDoc;
use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};
use std::time::Duration;

/// A stream.
#[derive(Debug, Clone)]
pub struct StreamDoc {
    /// Its name.
    pub name: Text,
    /// What it gives.
    pub doc: Option<Text>,
    /// Its call; names: `config`, `params`, `page`, and `slice` when there are several.
    pub request: RequestDoc,
    /// Its parameters, given in `with:`.
    pub params: Vec<SettingDoc>,
    /// Auth profiles in the place of the default ones.
    pub auth: Option<Vec<Text>>,
    /// Where its records are.
    pub record_selector: SelectorDoc,
    /// How values are written.
    pub columns: ColumnRules,
    /// The columns of its records.
    pub schema: Vec<ColumnDoc>,
    /// Columns that name a record.
    pub key: Vec<Text>,
    /// How to get all of them.
    pub paginator: Option<PaginatorDoc>,
    /// Several calls for it.
    pub partition_router: Option<RouterDoc>,
    /// How to get only what is new.
    pub incremental: Option<IncrementalStreamDoc>,
    /// What means `no such record`.
    pub absent: Option<AbsentDoc>,
    /// What a good answer looks like.
    pub success: SuccessDoc,
    /// JSONPaths to the vendor's words, in the place of the default ones.
    pub error_message: Option<Vec<Text>>,
    /// Looked at before the default one.
    pub error_handler: ErrorHandlerDoc,
    /// Where these facts come from.
    pub source: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// `record_selector:`.
#[derive(Debug, Clone)]
pub struct SelectorDoc {
    /// How answers are written.
    pub format: Format,
    /// JSONPath or XML path to the records; the document itself when none.
    pub records: Option<Text>,
    /// The field a value that is no object becomes, for scalar answers and lists of scalars.
    pub value: Option<Text>,
    /// What stands between the fields of a line of CSV.
    pub delimiter: u8,
    /// Lines before the header of CSV.
    pub skip_lines: usize,
    /// What an answer means in which there is no place for records.
    pub missing: MissingRecords,
    /// Where it was written.
    pub span: Span,
}

/// What an answer of JSON means that does not have the member its records should be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissingRecords {
    /// Something is wrong: with the path, or with the answer. A table would be emptied otherwise.
    #[default]
    Fail,
    /// There are no records.
    None,
}

impl Default for SelectorDoc {
    fn default() -> Self {
        let (format, span) = (Format::default(), Span::default());
        let missing = MissingRecords::default();
        Self { format, records: None, value: None, delimiter: b',', skip_lines: 0, missing, span }
    }
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// JSON.
    #[default]
    Json,
    /// XML, read as it comes.
    Xml,
    /// CSV with a header; every record is a line.
    Csv,
    /// A text; all of it is one record.
    Text,
    /// A file of any kind; it is one record with `content`, `content_type`, `file_name` and `size`.
    File,
}

/// `incremental:` of a stream.
#[derive(Debug, Clone)]
pub struct IncrementalStreamDoc {
    /// What moves.
    pub by: IncrementalBy,
    /// The parameter that takes where to start.
    pub start: Text,
    /// How the time is written, in strftime's letters.
    pub format: Text,
    /// To what the time is cut.
    pub precision: Precision,
    /// How far before the last cursor to read again when the pipeline does not say.
    pub lookback: Option<Duration>,
    /// The parameter that takes where to end, for calls over a window of time: from `start` up to, and without, `end`.
    pub end: Option<Text>,
    /// How long a window is; one reaches up to now when none.
    pub step: Option<Duration>,
    /// How far a window reaches back into the one before it; rows that come twice are told by the stream's `key`.
    pub overlap: Duration,
    /// Where the first window starts when there is no cursor: a time in ISO 8601.
    pub earliest: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// What moves when a stream is read incrementally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncrementalBy {
    /// The time the request started: all that changed since then is in the next read.
    RequestTime,
}

/// To what a time is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Whole seconds.
    #[default]
    Second,
    /// Whole minutes.
    Minute,
    /// Whole days.
    Day,
}

impl StreamDoc {
    pub(super) fn read(name: &Text, tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, format!("stream `{name}`"), problems)?.at(name.span);
        let doc = reader.optional_text("doc");
        let request = reader.required("request", RequestDoc::read);
        let params = SettingDoc::read_all(&mut reader, "params", "a parameter");
        let auth = reader.optional("auth", decode::one_or_many(decode::text));
        let record_selector = reader.optional("record_selector", SelectorDoc::read).unwrap_or_default();
        let columns = reader.optional("columns", ColumnRules::read).unwrap_or_default();
        let schema = reader.required("schema", decode::map(ColumnDoc::read)).unwrap_or_default();
        let schema = schema.into_iter().map(|(name, column)| ColumnDoc { name, ..column }).collect();
        let key = reader.optional("key", decode::one_or_many(decode::text)).unwrap_or_default();
        let paginator = reader.optional("paginator", PaginatorDoc::read);
        let partition_router = reader.optional("partition_router", RouterDoc::read);
        let incremental = reader.optional("incremental", IncrementalStreamDoc::read);
        let absent = reader.optional("absent", AbsentDoc::read);
        let success = reader.optional("success", SuccessDoc::read).unwrap_or_default();
        let error_message = reader.optional("error_message", decode::one_or_many(decode::text));
        let error_handler = reader.optional("error_handler", ErrorHandlerDoc::read).unwrap_or_default();
        let source = reader.optional_text("source");
        reader.finish();
        Some(Self {
            name: name.clone(),
            doc,
            request: request?,
            params,
            auth,
            record_selector,
            columns,
            schema,
            key,
            paginator,
            partition_router,
            incremental,
            absent,
            success,
            error_message,
            error_handler,
            source,
            span: tree.span,
        })
    }
}

impl SelectorDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a record selector", problems)?;
        let formats = [
            ("json", Format::Json),
            ("xml", Format::Xml),
            ("csv", Format::Csv),
            ("text", Format::Text),
            ("file", Format::File),
        ];
        let missing = [("fail", MissingRecords::Fail), ("none", MissingRecords::None)];
        let selector = Self {
            missing: reader.optional("missing", decode::choice(&missing)).unwrap_or_default(),
            format: reader.optional("format", decode::choice(&formats)).unwrap_or_default(),
            records: reader.optional_text("records"),
            value: reader.optional_text("value"),
            delimiter: reader.optional("delimiter", delimiter).unwrap_or(b','),
            skip_lines: reader.int("skip_lines", 0..=1000).and_then(|lines| usize::try_from(lines).ok()).unwrap_or(0),
            span: tree.span,
        };
        if selector.format == Format::Xml && selector.records.is_none() {
            reader.missing("`records`", "say which element is a record, e.g. `//user`");
        }
        if selector.format == Format::Text && selector.value.is_none() {
            reader.missing("`value`", "say which column the text is");
        }
        let path = "records of CSV, text and files stand at no path";
        if matches!(selector.format, Format::Csv | Format::Text | Format::File) {
            reader.conflict("format", "records", path);
        }
        if selector.format != Format::Json && reader.has("missing") {
            reader.missing("`format: json`, as it says `missing`", "other formats have no such thing");
        }
        if selector.format != Format::Csv {
            for key in ["delimiter", "skip_lines"].into_iter().filter(|key| reader.has(key)).collect::<Vec<_>>() {
                reader.missing(&format!("`format: csv`, as it says `{key}`"), "other formats have no such thing");
            }
        }
        reader.finish();
        Some(selector)
    }
}

/// One character between fields.
fn delimiter(tree: &Tree, problems: &mut Problems) -> Option<u8> {
    let text = decode::text(tree, problems)?;
    match text.value.as_bytes() {
        [one] if one.is_ascii() && !matches!(one, b'"' | b'\r' | b'\n') => Some(*one),
        _ => {
            decode::wrong_type(tree, "one character such as `,` or `;`", problems);
            None
        }
    }
}

impl IncrementalStreamDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`incremental`", problems)?;
        let by = reader.required("by", decode::choice(&[("request_time", IncrementalBy::RequestTime)]));
        let start = reader.required_text("start");
        let format = reader.optional_text("format");
        let precisions = [("second", Precision::Second), ("minute", Precision::Minute), ("day", Precision::Day)];
        let precision = reader.optional("precision", decode::choice(&precisions)).unwrap_or_default();
        let lookback = reader.duration("lookback");
        let end = reader.optional_text("end");
        let step = reader.duration("step");
        let overlap = reader.duration("overlap").unwrap_or_default();
        let earliest = reader.optional_text("earliest");
        if reader.has("step") && !reader.has("end") {
            reader.missing("`end`", "`step` makes windows: say which parameter takes where one ends");
        }
        if reader.has("step") && !reader.has("earliest") {
            reader
                .missing("`earliest`", "say where the first window starts, e.g. `earliest: \"2000-01-01T00:00:00Z\"`");
        }
        if reader.has("overlap") && !reader.has("step") {
            reader.missing("`step`", "windows overlap where there are several: say how long one is, e.g. `step: P30D`");
        }
        reader.finish();
        Some(Self {
            by: by?,
            start: start?,
            format: format.unwrap_or_else(|| Text::new("%Y-%m-%dT%H:%M:%SZ", tree.span)),
            precision,
            lookback,
            end,
            step,
            overlap,
            earliest,
            span: tree.span,
        })
    }
}
