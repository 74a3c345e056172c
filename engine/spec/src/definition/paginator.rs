//! How one call becomes several.

use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// `paginator:`. Where the page goes is said by the request's own templates: `page.number`, `page.size`, `page.offset` and
/// `page.key` may stand in its path, query or body.
#[derive(Debug, Clone)]
pub struct PaginatorDoc {
    /// How pages follow each other.
    pub kind: PaginatorKind,
    /// Records asked for per page.
    pub size: Option<u64>,
    /// JSONPath to the number of all records; paging ends when so many were seen.
    pub total: Option<Text>,
    /// Whether a page of fewer than `size` records is the last one.
    pub stop_when_short: bool,
    /// The whole entry.
    pub span: Span,
}

/// How pages follow each other.
#[derive(Debug, Clone)]
pub enum PaginatorKind {
    /// Numbered pages.
    Page {
        /// The number of the first one.
        first: i64,
        /// JSONPath to the number of the last one.
        last: Option<Text>,
    },
    /// Numbered records.
    Offset {
        /// The number of the first one.
        first: i64,
    },
    /// The answer holds a key for the next page; null or absent on the last one.
    Key {
        /// JSONPath to it.
        from: Text,
    },
    /// The answer holds the URL of the next page; null or absent on the last one.
    Next {
        /// JSONPath to it.
        from: Text,
    },
    /// The answer's `Link` header holds the URL of the next page (`rel="next"`).
    Link,
    /// All at once, as many as the call is told to give at most: it is told ten times more as long as that many come.
    Max,
}

#[derive(Clone, Copy)]
enum Word {
    Page,
    Offset,
    Key,
    Next,
    Link,
    Max,
}

const WORDS: [(&str, Word); 6] = [
    ("page", Word::Page),
    ("offset", Word::Offset),
    ("key", Word::Key),
    ("next", Word::Next),
    ("link", Word::Link),
    ("max", Word::Max),
];

impl PaginatorDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a paginator", problems)?;
        let Some(word) = reader.required("type", decode::choice(&WORDS)) else {
            reader.rest();
            reader.finish();
            return None;
        };
        let kind = match word {
            Word::Page => PaginatorKind::Page {
                first: reader.int("first_page", 0..=i64::MAX).unwrap_or(1),
                last: reader.optional_text("last_page"),
            },
            Word::Offset => PaginatorKind::Offset { first: reader.int("first", 0..=i64::MAX).unwrap_or(0) },
            Word::Key => PaginatorKind::Key { from: reader.required_text("from").unwrap_or_default() },
            Word::Next => PaginatorKind::Next { from: reader.required_text("from").unwrap_or_default() },
            Word::Link => PaginatorKind::Link,
            Word::Max => PaginatorKind::Max,
        };
        let size = reader.int("page_size", 1..=1_000_000).and_then(|size| u64::try_from(size).ok());
        let paginator = Self {
            kind,
            size,
            total: reader.optional_text("total"),
            stop_when_short: reader.bool("stop_when_short").unwrap_or_default(),
            span: tree.span,
        };
        if paginator.stop_when_short && size.is_none() {
            reader.missing(
                "`page_size`, as it says `stop_when_short`",
                "a page is short when it has fewer records than `page_size`",
            );
        }
        if let (PaginatorKind::Max, None) = (&paginator.kind, size) {
            reader.missing("`page_size`", "say how many records to ask for at first, e.g. `page_size: 1000`");
        }
        reader.finish();
        Some(paginator)
    }
}
