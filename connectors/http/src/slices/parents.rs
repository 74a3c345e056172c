//! Records of a parent, a page at a time, each of them a partition.

use super::feed::Partition;
use super::given::Ask;
use super::plan::{Over, RouterPlan, Take};
use super::taken::Taken;
use super::worker::{Item, Rounds, Worker};
use crate::given::Completed;
use crate::template::plain_text;
use polars::prelude::DataFrame;
use serde_json::{Map, Value as Json};
use towpath_connector::{Error, Record, RejectedRow, Result};
use towpath_mapping::frame_to_json_rows;
use towpath_spec::Schema;

/// The parent while it is read.
pub(crate) struct Parents {
    name: String,
    params: Vec<(String, String)>,
    take: Vec<Take>,
    /// The columns that are used of it.
    used: Schema,
    worker: Worker,
    frame: DataFrame,
    rows: std::iter::Enumerate<std::vec::IntoIter<Record>>,
    /// Records that name nothing a call could be made for.
    nameless: u64,
    ended: bool,
}

/// What a parent gives.
pub(crate) enum Found {
    Partition(Partition),
    /// Records of the parent that could not be read, and so neither what belongs to them.
    Rejects(Vec<RejectedRow>),
}

impl Parents {
    /// Starts reading the parent.
    ///
    /// # Errors
    /// Its parameters do not fit.
    pub(crate) fn start(ask: &Ask, router: &RouterPlan, rounds: &Rounds) -> Result<Self> {
        let Over::Stream { stream, with, params } = &router.over else {
            return Err(Error::bug(format!("stream `{}` has no parent", ask.stream.name)));
        };
        let parent = ask.connection.stream(stream)?;
        let names = ask.names();
        let mut given = Map::new();
        for (name, slot) in with {
            given.insert(name.clone(), slot.value(&names)?);
        }
        let used = parent.schema.fields.iter().filter(|field| {
            let name = &field.name;
            params.iter().any(|(_, column)| column == name) || router.take.iter().any(|take| take.from == *name)
        });
        let used = Schema::new(used.cloned().collect());
        let asked = Ask::new(&ask.connection, parent, given, None)?.map_err(|bad| match bad {
            Completed::Bad(message) | Completed::Missing(message) => {
                Error::user(format!("stream `{}`, read for `{}`: {message}", stream, ask.stream.name))
            }
            Completed::Good(_) => Error::bug("good parameters were refused"),
        })?;
        Ok(Self {
            name: stream.clone(),
            params: params.clone(),
            take: router.take.clone(),
            used,
            worker: Worker::start(crate::reader::extract(asked), rounds, false),
            frame: DataFrame::default(),
            rows: Vec::new().into_iter().enumerate(),
            nameless: 0,
            ended: false,
        })
    }

    /// The next record. May be dropped and called again.
    ///
    /// # Errors
    /// The parent could not be read.
    pub(crate) async fn next(&mut self, rounds: &Rounds) -> Result<Option<Found>> {
        loop {
            for (row, record) in self.rows.by_ref() {
                match partition(&self.params, &record) {
                    Some((filled, label)) => {
                        let taken = Taken::of_row(&self.take, &self.frame, row)?;
                        let slice = slice(&self.take, &filled, &record);
                        return Ok(Some(Found::Partition(Partition { filled, taken, slice, label: Some(label) })));
                    }
                    None => self.nameless += 1,
                }
            }
            if self.ended {
                return Ok(None);
            }
            match self.worker.next(rounds).await {
                Item::Chunk(chunk) => {
                    let names = self.used.fields.iter().map(|field| field.name.as_str());
                    self.frame = chunk.frame.select(names)?;
                    let rows = frame_to_json_rows(&self.frame, &self.used).map_err(Error::bug)?;
                    self.rows = rows.into_iter().enumerate();
                    if !chunk.rejects.is_empty() {
                        return Ok(Some(Found::Rejects(self.named(chunk.rejects))));
                    }
                }
                Item::Failed(error) => return Err(error),
                Item::End => self.end(),
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        if self.nameless > 0 {
            let columns: Vec<&str> = self.params.iter().map(|(_, column)| column.as_str()).collect();
            tracing::warn!(
                parent = self.name,
                records = self.nameless,
                "records without `{}` were passed over: no call can be made for them",
                columns.join("`, `")
            );
        }
    }

    fn named(&self, mut rejects: Vec<RejectedRow>) -> Vec<RejectedRow> {
        for reject in &mut rejects {
            reject.reason = format!("in `{}`: {}", self.name, reject.reason);
        }
        rejects
    }
}

/// The parameters a record fills, and its name for messages; `None` when one of them would be nothing.
fn partition(params: &[(String, String)], record: &Record) -> Option<(Record, String)> {
    let mut filled = Map::new();
    let mut label = Vec::with_capacity(params.len());
    for (name, column) in params {
        let value = record.get(column)?;
        // `.` and `..` would name another resource in a path.
        let text = plain_text(value).filter(|text| !matches!(text.trim(), "" | "." | ".."))?;
        label.push(format!("{name} {text}"));
        filled.insert(name.clone(), value.clone());
    }
    Some((filled, label.join(", ")))
}

/// What `slice` stands for in a request.
fn slice(take: &[Take], filled: &Record, record: &Record) -> Record {
    let taken = take.iter().map(|take| (take.column.clone(), record.get(&take.from).cloned().unwrap_or(Json::Null)));
    taken.chain(filled.iter().map(|(name, value)| (name.clone(), value.clone()))).collect()
}
