//! Sources driven as a run drives them.

use polars::prelude::{DataFrame, Engine, IntoLazy, col};
use serde_json::{Map, Value as Json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use towpath_connector::{Connect, Connector, Described, Problem, Reader, RejectedRow, Settings, Source, SourceAsk};
use towpath_mapping::{Constants, FrameRows, compile_cast, frame_to_json_rows};
use towpath_spec::{Field, Schema};

/// All a source gave.
#[derive(Debug, Default)]
pub struct Read {
    pub rows: Vec<Map<String, Json>>,
    pub rejects: Vec<RejectedRow>,
    pub schema: Schema,
    /// Whether Polars scanned it.
    pub scanned: bool,
}

pub fn connector(name: &str) -> Arc<dyn Connector> {
    let all = towpath_files::connectors();
    all.into_iter().find(|connector| connector.descriptor().name == name).expect("a connector of this name")
}

pub fn settings(json: Json) -> Settings {
    match json {
        Json::Object(map) => Settings::new(map),
        other => panic!("settings must be an object, found {other}"),
    }
}

pub fn connect(base: &Path) -> Connect {
    Connect {
        name: "test".into(),
        settings: Settings::default(),
        base: base.to_owned(),
        timeout: Duration::from_secs(1),
    }
}

pub fn describe(name: &str, base: &Path, settings: &Settings, columns: &[Field]) -> Result<Described, Vec<Problem>> {
    let none = Settings::default();
    connector(name).describe_source(&SourceAsk { stream: None, connection: &none, settings, columns, base })
}

pub fn read(name: &str, base: &Path, settings: &Settings, columns: &[Field]) -> towpath_connector::Result<Read> {
    let none = Settings::default();
    let reader: Arc<dyn Reader> = connector(name).reader(&connect(base))?;
    let source = reader.source(&SourceAsk { stream: None, connection: &none, settings, columns, base }, None)?;
    match source {
        Source::Scan(scan) => {
            scan.check.map_or(Ok(()), |check| check())?;
            let frame = scan.frame.collect_with_engine(Engine::Streaming)?.unwrap_single();
            let mut read = Read { schema: scan.schema.clone(), scanned: true, ..Read::default() };
            convert(&frame, &scan.raw, &scan.schema, &mut read);
            Ok(read)
        }
        Source::Extract(mut extract) => {
            let mut read = Read { schema: extract.schema().clone(), ..Read::default() };
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                while let Some(chunk) = extract.next().await? {
                    let rows = frame_to_json_rows(&chunk.frame, &read.schema).expect("frames have the schema");
                    read.rows.extend(rows);
                    read.rejects.extend(chunk.rejects);
                }
                Ok(read)
            })
        }
    }
}

/// Text to the types of the schema, as the run does it.
fn convert(frame: &DataFrame, raw: &Schema, schema: &Schema, read: &mut Read) {
    let constants = Constants::at(chrono::DateTime::UNIX_EPOCH);
    let rows = FrameRows::new(frame, raw).expect("the raw columns");
    let cast =
        |(from, to): (&Field, &Field)| (from.name.clone(), compile_cast(&from.name, &from.ty, &to.ty).expect("a cast"));
    let casts: Vec<_> = raw.fields.iter().zip(&schema.fields).map(cast).collect();
    let values = casts.iter().map(|(name, cast)| cast.lower(&constants).value.alias(name.as_str()));
    let names: Vec<_> = schema.names().map(col).collect();
    let typed = frame.clone().lazy().with_columns(values.collect::<Vec<_>>()).select(names).collect().expect("a frame");
    let typed = frame_to_json_rows(&typed, schema).expect("frames have the schema");
    for (at, typed) in typed.into_iter().enumerate() {
        let row = rows.row(at);
        let failed = casts.iter().find_map(|(name, cast)| Some((name, cast.interpret(&row, &constants).err()?)));
        match failed {
            None => read.rows.push(typed),
            Some((name, reason)) => read.rejects.push(RejectedRow {
                row: row.to_json(),
                field: Some(name.clone()),
                value: None,
                reason: reason.message,
            }),
        }
    }
}
