//! Text columns under construction.

use super::selector::Column;
use super::walk::Slot;
use polars::prelude::{
    Column as FrameColumn, DataFrame, IntoSeries, ListBuilderTrait, ListStringChunkedBuilder, PolarsResult,
    StringChunkedBuilder,
};

enum Builder {
    Text(StringChunkedBuilder),
    List(Box<ListStringChunkedBuilder>),
}

/// Columns of one batch.
pub(super) struct Columns {
    builders: Vec<Builder>,
    rows: usize,
    bytes: usize,
}

impl Columns {
    /// With room for some rows at first; more are taken as they come.
    pub(super) fn new(columns: &[Column], room: usize) -> Self {
        let builder = |column: &Column| {
            let name = column.name.as_str().into();
            if column.list {
                Builder::List(Box::new(ListStringChunkedBuilder::new(name, room, room)))
            } else {
                Builder::Text(StringChunkedBuilder::new(name, room))
            }
        };
        Self { builders: columns.iter().map(builder).collect(), rows: 0, bytes: 0 }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes of text so far.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// A column's value of the row under construction; none when there is no place it could be at.
    #[inline]
    pub(super) fn push(&mut self, column: usize, slot: Option<&Slot>) {
        match &mut self.builders[column] {
            Builder::Text(builder) => {
                let text = slot.and_then(Slot::text);
                self.bytes += text.map_or(0, str::len);
                builder.append_option(text);
            }
            Builder::List(builder) => {
                let items: Vec<Option<&str>> = slot.map(Slot::items).unwrap_or_default();
                self.bytes += slot.map_or(0, Slot::bytes);
                builder.append_trusted_len_iter(items.into_iter());
            }
        }
    }

    /// The row is complete.
    #[inline]
    pub(super) fn end_row(&mut self) {
        self.rows += 1;
    }

    pub(super) fn finish(self) -> PolarsResult<DataFrame> {
        let columns = self
            .builders
            .into_iter()
            .map(|builder| match builder {
                Builder::Text(builder) => FrameColumn::from(builder.finish().into_series()),
                Builder::List(mut builder) => FrameColumn::from(builder.finish().into_series()),
            })
            .collect();
        DataFrame::new(self.rows, columns)
    }
}
