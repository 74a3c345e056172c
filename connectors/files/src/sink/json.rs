//! JSON lines and arrays, written by ourselves: Polars would write JSON columns as quoted text and times in a form of
//! its own.

use super::place::Place;
use crate::open::Compression;
use polars::prelude::{DataFrame, LazyFrame, PlanCallback, PolarsError, PolarsResult};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex};
use towpath_connector::{BatchWriter, Error, FileSink, Result, Written};
use towpath_mapping::FrameRows;
use towpath_spec::Schema;

/// Rows that are turned into JSON at a time.
const ROWS: usize = 20_000;

/// The sink.
pub(super) struct Lines {
    place: Place,
    array: bool,
    /// The file, from the plan to the commit; the plan itself may live longer.
    out: Arc<Mutex<Option<Out>>>,
}

/// The file being written.
struct Out {
    writer: Packer,
    array: bool,
    rows: u64,
}

enum Packer {
    Plain(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Zstd(zstd::Encoder<'static, BufWriter<File>>),
}

impl Packer {
    fn new(aside: &Path, target: &Path) -> std::io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 20, File::create(aside)?);
        Ok(match Compression::by_name(target) {
            Compression::None => Self::Plain(file),
            Compression::Gzip => Self::Gzip(flate2::write::GzEncoder::new(file, flate2::Compression::default())),
            Compression::Zstd => Self::Zstd(zstd::Encoder::new(file, 0)?),
        })
    }

    fn inner(&mut self) -> &mut dyn Write {
        match self {
            Self::Plain(writer) => writer,
            Self::Gzip(writer) => writer,
            Self::Zstd(writer) => writer,
        }
    }

    fn finish(self) -> std::io::Result<()> {
        let mut writer = match self {
            Self::Plain(writer) => writer,
            Self::Gzip(writer) => writer.finish()?,
            Self::Zstd(writer) => writer.finish()?,
        };
        writer.flush()?;
        writer.get_ref().sync_all()
    }
}

impl Out {
    fn frame(&mut self, frame: &DataFrame, schema: &Schema) -> PolarsResult<()> {
        let rows = FrameRows::new(frame, schema).map_err(|error| PolarsError::ComputeError(error.into()))?;
        let writer = self.writer.inner();
        for row in rows.iter() {
            let before: &[u8] = match (self.array, self.rows) {
                (false, _) => b"",
                (true, 0) => b"[\n",
                (true, _) => b",\n",
            };
            writer.write_all(before)?;
            serde_json::to_writer(&mut *writer, &row.to_json()).map_err(std::io::Error::from)?;
            if !self.array {
                writer.write_all(b"\n")?;
            }
            self.rows += 1;
        }
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<()> {
        if self.array {
            let end: &[u8] = if self.rows == 0 { b"[]\n" } else { b"\n]\n" };
            self.writer.inner().write_all(end)?;
        }
        self.writer.finish()
    }
}

impl Lines {
    pub(super) fn new(place: Place, array: bool) -> Self {
        Self { place, array, out: Arc::default() }
    }
}

impl Lines {
    /// Begins the file.
    fn begin(&mut self) -> Result<()> {
        let aside = self.place.prepare()?.to_owned();
        let writer = Packer::new(&aside, self.place.target())
            .map_err(|error| Error::from(error).at(format!("cannot write {}", aside.display())))?;
        self.out = Arc::new(Mutex::new(Some(Out { writer, array: self.array, rows: 0 })));
        Ok(())
    }
}

/// Batches on their way into the file; the sink ends it.
struct Batches {
    out: Arc<Mutex<Option<Out>>>,
    schema: Schema,
}

impl BatchWriter for Batches {
    fn write(&mut self, batch: DataFrame) -> Result<()> {
        let mut out = self.out.lock().map_err(|_| Error::bug("the writer panicked"))?;
        let out = out.as_mut().ok_or_else(|| Error::bug("the file is not open any more"))?;
        Ok(out.frame(&batch, &self.schema)?)
    }

    fn finish(&mut self) -> Result<()> {
        Ok(())
    }
}

impl FileSink for Lines {
    fn batches(&mut self, schema: &Schema) -> Result<Option<Box<dyn BatchWriter>>> {
        self.begin()?;
        Ok(Some(Box::new(Batches { out: Arc::clone(&self.out), schema: schema.clone() })))
    }

    fn plan(&mut self, input: LazyFrame, schema: &Schema) -> Result<LazyFrame> {
        self.begin()?;
        let out = Arc::clone(&self.out);
        let schema = schema.clone();
        let write = move |frame: DataFrame| {
            let gone = || PolarsError::ComputeError("the file is not open any more".into());
            let mut out = out.lock().map_err(|_| gone())?;
            out.as_mut().ok_or_else(gone)?.frame(&frame, &schema).map(|()| false)
        };
        Ok(input.sink_batches(PlanCallback::new(write), true, NonZeroUsize::new(ROWS))?)
    }

    fn commit(&mut self) -> Result<Vec<Written>> {
        let out = self.out.lock().map_err(|_| Error::bug("the writer panicked"))?.take();
        let out = out.ok_or_else(|| Error::bug("nothing was written"))?;
        let failed = |error| Error::from(error).at(format!("cannot write {}", self.place.target().display()));
        out.finish().map_err(failed)?;
        self.place.commit()
    }

    fn abort(&mut self) {
        self.out = Arc::default();
        self.place.abort();
    }
}
