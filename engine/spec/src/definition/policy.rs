//! What an answer means.

use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// How a good answer is told from a bad one that came with a good status.
#[derive(Debug, Clone, Default)]
pub enum SuccessDoc {
    /// The status says it all.
    #[default]
    Status,
    /// The value at a JSONPath is one of these.
    Equals {
        /// JSONPath.
        path: Text,
        /// Values that mean success.
        values: Vec<Tree>,
    },
    /// There is something at a JSONPath.
    Present {
        /// JSONPath.
        path: Text,
    },
    /// The last line of a text that is not blank has a text in it.
    LastLineContains(Text),
}

/// What means `no such record`, which is an answer and not an error.
#[derive(Debug, Clone, Default)]
pub struct AbsentDoc {
    /// Statuses.
    pub status: Vec<u16>,
    /// A body of nothing but white space.
    pub empty_body: bool,
    /// Values in the place of the record.
    pub values: Vec<Tree>,
}

/// `error_handler:`.
#[derive(Debug, Clone, Default)]
pub struct ErrorHandlerDoc {
    /// The first one that fits an answer decides.
    pub response_filters: Vec<ResponseFilterDoc>,
}

/// What answers with a certain status or text mean.
#[derive(Debug, Clone)]
pub struct ResponseFilterDoc {
    /// Statuses; any when empty.
    pub http_codes: Vec<u16>,
    /// A text the body holds.
    pub error_message_contains: Option<Text>,
    /// What it means.
    pub action: ResponseAction,
    /// What to say instead of the vendor's words.
    pub error_message: Option<Text>,
    /// The whole entry.
    pub span: Span,
}

/// What to make of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseAction {
    /// It is good.
    Success,
    /// It is good and holds nothing: no records.
    Ignore,
    /// It may pass.
    Retry,
    /// Too many requests; it will pass.
    RateLimited,
    /// The record is turned down (operations only; on a stream it is an error).
    Refuse,
    /// It will not pass.
    Fail,
}

impl SuccessDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        if tree.as_text().is_some() {
            decode::choice(&[("status", ())])(tree, problems)?;
            return Some(Self::Status);
        }
        let mut reader = MapReader::of(tree, "`success`", problems)?;
        let path = reader.optional_text("path");
        let equals = reader.optional("equals", decode::one_or_many(decode::any));
        let present = reader.optional_text("present");
        let last_line = reader.optional_text("last_line_contains");
        for (first, second) in
            [("equals", "present"), ("equals", "last_line_contains"), ("present", "last_line_contains")]
        {
            reader.conflict(first, second, "success is told in one way");
        }
        let success = match (path, equals, present, last_line) {
            (None, None, Some(path), None) => Some(Self::Present { path }),
            (Some(path), Some(values), None, None) => Some(Self::Equals { path, values }),
            (None, None, None, Some(text)) => Some(Self::LastLineContains(text)),
            _ => {
                reader.missing(
                    "`path` and `equals`, or `present`, or `last_line_contains`",
                    "e.g. `{path: $.Status, equals: true}` or `{present: $.UserID}`",
                );
                None
            }
        };
        reader.finish();
        success
    }
}

/// An HTTP status.
pub(super) fn status(tree: &Tree, problems: &mut Problems) -> Option<u16> {
    decode::int(100..=599)(tree, problems).and_then(|code| u16::try_from(code).ok())
}

impl AbsentDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`absent`", problems)?;
        let absent = Self {
            status: reader.optional("status", decode::one_or_many(status)).unwrap_or_default(),
            empty_body: reader.bool("empty_body").unwrap_or_default(),
            values: reader.list("values", decode::any),
        };
        reader.finish();
        Some(absent)
    }
}

const ACTIONS: [(&str, ResponseAction); 6] = [
    ("success", ResponseAction::Success),
    ("ignore", ResponseAction::Ignore),
    ("retry", ResponseAction::Retry),
    ("rate_limited", ResponseAction::RateLimited),
    ("refuse", ResponseAction::Refuse),
    ("fail", ResponseAction::Fail),
];

impl ErrorHandlerDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "`error_handler`", problems)?;
        let handler = Self { response_filters: reader.list("response_filters", ResponseFilterDoc::read) };
        reader.finish();
        Some(handler)
    }
}

impl ResponseFilterDoc {
    fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a response filter", problems)?;
        let http_codes = reader.optional("http_codes", decode::one_or_many(status)).unwrap_or_default();
        let contains = reader.optional_text("error_message_contains");
        let action = reader.required("action", decode::choice(&ACTIONS));
        let error_message = reader.optional_text("error_message");
        if http_codes.is_empty() && contains.is_none() && !reader.has("http_codes") {
            reader.missing("`http_codes` or `error_message_contains`", "say which answers the action is for");
        }
        reader.finish();
        Some(Self { http_codes, error_message_contains: contains, action: action?, error_message, span: tree.span })
    }
}
