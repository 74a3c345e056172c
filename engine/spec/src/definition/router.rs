//! Several calls for one stream: once for each record of another stream, or for each of some values.

use crate::decode::{self, MapReader, Problems};
use crate::document::Tree;
use crate::source_text::{Span, Text};

/// `partition_router:` of a stream.
///
/// Each call, with its pages, is a slice. The router fills parameters of the stream, so they may be `required` and still
/// need not be given in a pipeline; when a pipeline gives all of them there is that one slice.
#[derive(Debug, Clone)]
pub struct RouterDoc {
    /// What there is a slice for.
    pub over: RouterOver,
    /// Columns every row of a slice gets, before its own: from a column of the parent, or from a parameter with `values`.
    pub take: Vec<(Text, Text)>,
    /// Slices read at a time; as many as the connection has requests at a time when none.
    pub concurrency: Option<u64>,
    /// The whole entry.
    pub span: Span,
}

/// What there is a slice for.
#[derive(Debug, Clone)]
pub enum RouterOver {
    /// Each record of another stream.
    Stream {
        /// The other stream, called the parent.
        stream: Text,
        /// The parent's parameters; names: `config`, `params`.
        with: Vec<(Text, Tree)>,
        /// Parameters of this stream, by the columns of the parent they are filled from.
        params: Vec<(Text, Text)>,
    },
    /// Each combination of values: a list, or a template over `config` and `params` that gives one, by parameter.
    Values(Vec<(Text, Tree)>),
}

impl RouterDoc {
    pub(super) fn read(tree: &Tree, problems: &mut Problems) -> Option<Self> {
        let mut reader = MapReader::of(tree, "a partition router", problems)?;
        let stream = reader.optional_text("stream");
        let with = reader.map("with", decode::any);
        let params = reader.map("params", decode::text);
        let values = reader.optional("values", decode::map(decode::any));
        let take = reader.map("take", decode::text);
        let concurrency = reader.int("concurrency", 1..=1024).and_then(|n| u64::try_from(n).ok());
        reader.require_one_of(
            &["stream", "values"],
            "name the stream whose records there is a call for, or give values: `values: {status: [open, closed]}`",
        );
        reader.conflict("stream", "values", "one router goes over one of them");
        reader.conflict("with", "values", "`with` are parameters of the parent: leave it out");
        reader.conflict("params", "values", "`values` names the parameters itself: leave `params` out");
        if reader.has("stream") && params.is_empty() {
            reader.missing("`params`", "say which parameter is filled from which column: `params: {user: id}`");
        }
        reader.finish();
        let over = match (stream, values) {
            (Some(stream), _) => RouterOver::Stream { stream, with, params },
            (None, values) => RouterOver::Values(values?),
        };
        Some(Self { over, take, concurrency, span: tree.span })
    }

    /// The parameters it fills.
    pub fn fills(&self) -> impl Iterator<Item = &Text> {
        let names: Vec<&Text> = match &self.over {
            RouterOver::Stream { params, .. } => params.iter().map(|(name, _)| name).collect(),
            RouterOver::Values(values) => values.iter().map(|(name, _)| name).collect(),
        };
        names.into_iter()
    }
}
