//! Writing a table, in one transaction.

use super::turn::Turn;
use super::{PATIENCE, failed, quoted, types};
use crate::content::Content;
use crate::table::{Evolution, Mode, Target};
use polars::prelude::DataFrame;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, OptionalExtension, Statement, params};
use std::path::PathBuf;
use towpath_connector::{Begun, Committed, Error, Load, RejectedRow, Result, TableBatch, TableSink};
use towpath_mapping::{FrameRow, FrameRows, Row, Value};
use towpath_spec::{Field, Schema, Type};

/// Loads that went in, in the database they went into.
const LOADS: &str = "CREATE TABLE IF NOT EXISTS _towpath_loads (
    pipeline TEXT NOT NULL, sink TEXT NOT NULL, run TEXT NOT NULL, at TEXT NOT NULL DEFAULT (datetime('now')),
    rows INTEGER NOT NULL, content TEXT NOT NULL, PRIMARY KEY (pipeline, sink, run)) WITHOUT ROWID";

/// The table of a merge's rows until they are all there.
const STAGE: &str = "temp._towpath_stage";

/// A table that is being written.
pub(crate) struct SqliteTable {
    pub(super) path: PathBuf,
    pub(super) target: Target,
    open: Option<Open>,
}

/// A transaction that has begun.
struct Open {
    connection: Connection,
    load: Load,
    fit: Fit,
    insert: String,
    rows: u64,
    content: Content,
    /// Ends behind the connection.
    _turn: Turn,
}

/// How the columns that arrive fit a table.
#[derive(Debug, Clone, Default)]
pub(super) struct Fit {
    /// The columns that arrive.
    pub(super) schema: Schema,
    /// Those that are written, in the order of the statement's parameters.
    pub(super) written: Vec<Field>,
    /// Those among them that the table does not have yet.
    pub(super) new: Vec<Field>,
    /// Those the table has no place for.
    pub(super) homeless: Vec<Field>,
}

/// A column of the table as it is.
pub(super) struct Known {
    pub(super) name: String,
    ty: Option<Type>,
    needed: bool,
}

impl SqliteTable {
    pub(crate) fn new(path: PathBuf, target: Target) -> Self {
        Self { path, target, open: None }
    }

    pub(super) fn shown(&self) -> String {
        format!("table `{}` of {}", self.target.table, self.path.display())
    }

    fn open(&self) -> Result<Connection> {
        let doing = |error: &rusqlite::Error| failed(self.path.display(), error);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| Error::from(error).at(folder.display()))?;
        }
        let connection = Connection::open(&self.path).map_err(|error| doing(&error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| doing(&error))?;
        // Readers of the file are kept out only while the transaction ends; its size may be that of all rows.
        // EXTRA: a commit ends with the end of the journal's name, which is on disk only when its folder is synced, too. Else a
        // load that is on record as done could be rolled back after a loss of power.
        let prepared = "PRAGMA temp_store = FILE; PRAGMA synchronous = EXTRA; BEGIN IMMEDIATE";
        connection.execute_batch(prepared).map_err(|error| doing(&error))?;
        connection.execute_batch(LOADS).map_err(|error| doing(&error))?;
        Ok(connection)
    }

    /// The table's columns in a database of the connection; `None`: there is no such table.
    pub(super) fn known(&self, connection: &Connection, database: &str) -> rusqlite::Result<Option<Vec<Known>>> {
        let mut info = connection
            .prepare("SELECT name, type, \"notnull\" AND dflt_value IS NULL FROM pragma_table_info(?1, ?2)")?;
        let columns = info.query_map([self.target.table.as_str(), database], |row| {
            let declared: String = row.get(1)?;
            Ok(Known { name: row.get(0)?, ty: types::of_declared(&declared), needed: row.get(2)? })
        })?;
        let columns: Vec<Known> = columns.collect::<rusqlite::Result<_>>()?;
        Ok((!columns.is_empty()).then_some(columns))
    }

    /// Makes the table, or makes it fit the rows.
    fn prepare(&self, connection: &Connection, schema: &Schema) -> Result<Fit> {
        let doing = |error: rusqlite::Error| failed(self.shown(), &error);
        let known = self.known(connection, "main").map_err(doing)?;
        let fit = self.fit(known.as_deref(), schema)?;
        if known.is_none() {
            self.create(connection, schema).map_err(doing)?;
            return Ok(fit);
        }
        for field in &fit.new {
            let (table, name) = (quoted(&self.target.table), quoted(&field.name));
            let declared = types::declared(&field.ty);
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {name} {declared}")).map_err(doing)?;
        }
        Ok(fit)
    }

    /// How columns fit the table as it is, or one that would be made for them.
    pub(super) fn fit(&self, known: Option<&[Known]>, schema: &Schema) -> Result<Fit> {
        let mut fit = Fit { schema: schema.clone(), ..Fit::default() };
        let Some(known) = known else {
            fit.written.clone_from(&schema.fields);
            return Ok(fit);
        };
        if self.target.mode == Mode::Create {
            let message = format!("{} is there already, and `mode: create` makes it", self.shown());
            return Err(Error::user(message).help("write `append`, `replace` or `merge`, or name another table"));
        }
        let find = |field: &Field| known.iter().find(|column| column.name.eq_ignore_ascii_case(&field.name));
        for field in &schema.fields {
            match find(field) {
                Some(column) if column.ty.as_ref().is_none_or(|ty| types::fits(&field.ty, ty)) => {
                    fit.written.push(field.clone())
                }
                Some(column) => {
                    let ty = column.ty.clone().unwrap_or(Type::Text);
                    self.misfit(&field.name, format!("is {} in the table, and {} arrives", ty, field.ty), true)?;
                    fit.homeless.push(field.clone());
                }
                None if self.target.evolution == Evolution::Evolve => {
                    fit.new.push(field.clone());
                    fit.written.push(field.clone());
                }
                None => {
                    self.misfit(&field.name, "is no column of the table".to_owned(), false)?;
                    fit.homeless.push(field.clone());
                }
            }
        }
        if let Some(missing) = known.iter().find(|column| column.needed && schema.get(&column.name).is_none()) {
            let message = format!("{}: column `{}` must have a value, and none arrives", self.shown(), missing.name);
            return Err(Error::user(message).help("add it with the step `set`"));
        }
        if let Some(key) = self.target.key.iter().find(|key| !fit.written.iter().any(|field| field.name == **key)) {
            let message = format!("{}: the key `{key}` is not among the columns that are written", self.shown());
            return Err(Error::user(message));
        }
        if fit.written.is_empty() {
            return Err(Error::user(format!("{}: none of the columns that arrive is one of the table", self.shown())));
        }
        Ok(fit)
    }

    /// What is made of a column that does not fit.
    fn misfit(&self, name: &str, why: String, is_type: bool) -> Result<()> {
        if matches!(self.target.evolution, Evolution::DiscardRow | Evolution::DiscardValue) {
            return Ok(());
        }
        let message = format!("{}: `{name}` {why}", self.shown());
        Err(Error::user(message).help(if is_type {
            "convert it with the step `cast`, or say what happens to it with `schema: discard_row` or `discard_value`"
        } else {
            "`schema: evolve` adds it; else drop it with the step `drop`, or write `schema: discard_row` or `discard_value`"
        }))
    }

    fn create(&self, connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
        let mut parts: Vec<String> = schema
            .fields
            .iter()
            .map(|field| format!("{} {}", quoted(&field.name), types::declared(&field.ty)))
            .collect();
        if !self.target.key.is_empty() {
            let key: Vec<String> = self.target.key.iter().map(|name| quoted(name)).collect();
            parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
        }
        connection.execute_batch(&format!("CREATE TABLE {} ({})", quoted(&self.target.table), parts.join(", ")))
    }

    /// Where rows go first: a merge's aside, all others into the table.
    fn insert_into(&self, connection: &Connection, written: &[Field]) -> rusqlite::Result<String> {
        let names: Vec<String> = written.iter().map(|field| quoted(&field.name)).collect();
        let marks: Vec<String> = (1..=written.len()).map(|number| format!("?{number}")).collect();
        let (verb, into) = match self.target.mode {
            Mode::Merge => {
                self.stage(connection, STAGE, written)?;
                ("INSERT OR REPLACE INTO", STAGE.to_owned())
            }
            _ => ("INSERT INTO", quoted(&self.target.table)),
        };
        if self.target.mode == Mode::Replace {
            connection.execute_batch(&format!("DELETE FROM {}", quoted(&self.target.table)))?;
        }
        Ok(format!("{verb} {into} ({}) VALUES ({})", names.join(", "), marks.join(", ")))
    }

    /// Makes a table for rows that are not yet in theirs.
    pub(super) fn stage(&self, connection: &Connection, name: &str, written: &[Field]) -> rusqlite::Result<()> {
        let columns = written.iter().map(|field| format!("{} {}", quoted(&field.name), types::declared(&field.ty)));
        let mut parts: Vec<String> = columns.collect();
        if self.target.mode == Mode::Merge {
            let key: Vec<String> = self.target.key.iter().map(|name| quoted(name)).collect();
            // Of several rows of one key the last one counts.
            parts.push(format!("UNIQUE ({}) ON CONFLICT REPLACE", key.join(", ")));
        }
        connection.execute_batch(&format!("CREATE TABLE {name} ({})", parts.join(", ")))
    }

    /// Brings a merge's rows into the table.
    fn merge(&self, open: &Open) -> rusqlite::Result<()> {
        let list = |names: &[String]| names.join(", ");
        let table = quoted(&self.target.table);
        let key: Vec<String> = self.target.key.iter().map(|name| quoted(name)).collect();
        let names: Vec<String> = open.fit.written.iter().map(|field| quoted(&field.name)).collect();
        let others: Vec<&String> = names.iter().filter(|name| !key.contains(name)).collect();
        let sets = |from: &str| list(&others.iter().map(|name| format!("{name} = {from}.{name}")).collect::<Vec<_>>());
        // A row that is there as it is to be is not written again.
        let differs = |from: &str| -> String {
            others.iter().map(|name| format!("t.{name} IS NOT {from}.{name}")).collect::<Vec<_>>().join(" OR ")
        };
        let (key_list, names) = (list(&key), list(&names));
        if self.is_unique(&open.connection)? {
            let action = match others.is_empty() {
                true => "NOTHING".to_owned(),
                false => format!("UPDATE SET {} WHERE {}", sets("excluded"), differs("excluded")),
            };
            // Without a condition SQLite would take the conflict for a join's.
            return open.connection.execute_batch(&format!(
                "INSERT INTO {table} AS t ({names}) SELECT {names} FROM {STAGE} WHERE true \
                 ON CONFLICT ({key_list}) DO {action}; DROP TABLE {STAGE}"
            ));
        }
        // The table knows no key: it is gone through once, and the rows of the load are found by theirs.
        let same = key.iter().map(|name| format!("t.{name} = s.{name}")).collect::<Vec<_>>().join(" AND ");
        if !others.is_empty() {
            open.connection.execute_batch(&format!(
                "UPDATE {table} AS t SET {} FROM {STAGE} AS s WHERE {same} AND ({})",
                sets("s"),
                differs("s")
            ))?;
        }
        let (first, of_stage) = (&key[0], open.fit.written.iter().map(|field| format!("s.{}", quoted(&field.name))));
        open.connection.execute_batch(&format!(
            "INSERT INTO {table} ({names}) SELECT {} FROM {STAGE} AS s LEFT JOIN {table} AS t ON {same} \
             WHERE t.{first} IS NULL; DROP TABLE {STAGE}",
            list(&of_stage.collect::<Vec<_>>())
        ))
    }

    /// Whether the table itself holds every key once at the most: by its primary key, or by an index.
    fn is_unique(&self, connection: &Connection) -> rusqlite::Result<bool> {
        let is_key = |columns: Vec<Option<String>>| {
            columns.len() == self.target.key.len()
                && columns.iter().flatten().all(|name| self.target.key.iter().any(|key| key.eq_ignore_ascii_case(name)))
                && columns.iter().all(Option::is_some)
        };
        let columns = |query: &str, of: &str| -> rusqlite::Result<Vec<Option<String>>> {
            connection.prepare(query)?.query_map([of], |row| row.get(0))?.collect()
        };
        if is_key(columns("SELECT name FROM pragma_table_info(?1) WHERE pk > 0", &self.target.table)?) {
            return Ok(true);
        }
        let whole = "SELECT name FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial";
        for index in columns(whole, &self.target.table)?.into_iter().flatten() {
            if is_key(columns("SELECT name FROM pragma_index_info(?1)", &index)?) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl TableSink for SqliteTable {
    fn begin(&mut self, schema: &Schema, load: &Load) -> Result<Begun> {
        let turn = Turn::at(&self.path);
        let connection = self.open()?;
        let doing = |error: rusqlite::Error| failed(self.shown(), &error);
        let went_in: Option<i64> = connection
            .query_row(
                "SELECT rows FROM _towpath_loads WHERE pipeline = ?1 AND sink = ?2 AND run = ?3",
                params![load.pipeline, load.sink, load.run],
                |row| row.get(0),
            )
            .optional()
            .map_err(doing)?;
        if went_in.is_some() {
            return Ok(Begun::Before);
        }
        let fit = self.prepare(&connection, schema)?;
        let insert = self.insert_into(&connection, &fit.written).map_err(doing)?;
        let load = load.clone();
        let names =
            std::iter::once(self.target.table.as_str()).chain(fit.written.iter().map(|field| field.name.as_str()));
        let content = Content::of(names);
        self.open = Some(Open { connection, load, fit, insert, rows: 0, content, _turn: turn });
        Ok(Begun::Now)
    }

    fn write(&mut self, batch: &DataFrame) -> Result<TableBatch> {
        let shown = self.shown();
        let Some(open) = &mut self.open else { return Err(Error::bug("rows for a table that was not begun")) };
        let mut statement = open.connection.prepare_cached(&open.insert).map_err(|error| failed(&shown, &error))?;
        let content = &mut open.content;
        let put = open.fit.put(batch, &self.target, &mut statement, |cell| match cell {
            Some(stored) => content.cell(stored),
            None => content.end_row(),
        });
        let done = put.map_err(|put| put.of(&shown))?;
        open.rows += done.written;
        Ok(done)
    }

    fn commit(&mut self) -> Result<Committed> {
        let Some(open) = self.open.take() else { return Err(Error::bug("the end of a table that was not begun")) };
        let doing = |error: rusqlite::Error| failed(self.shown(), &error);
        let mut beside = None;
        match self.target.mode {
            Mode::Merge => self.merge(&open).map_err(doing)?,
            Mode::Append => match open.before().map_err(doing)? {
                Some((run, true)) => return Ok(Committed::Before(run)),
                other => beside = other.map(|(run, _)| run),
            },
            Mode::Create | Mode::Replace => {}
        }
        let Load { pipeline, sink, run, .. } = &open.load;
        let rows = i64::try_from(open.rows).unwrap_or(i64::MAX);
        let note = "INSERT INTO _towpath_loads (pipeline, sink, run, rows, content) VALUES (?1, ?2, ?3, ?4, ?5)";
        open.connection.execute(note, params![pipeline, sink, run, rows, open.content.digest()]).map_err(doing)?;
        open.connection.execute_batch("COMMIT").map_err(doing)?;
        Ok(Committed::Now { beside })
    }

    fn abort(&mut self) {
        // A connection that is closed takes its transaction back.
        self.open = None;
    }
}

impl Open {
    /// A load of a run that was not settled, and whether its rows are those of this one.
    fn before(&self) -> rusqlite::Result<Option<(String, bool)>> {
        let Load { pipeline, sink, unsettled, .. } = &self.load;
        let mut loads = self.connection.prepare(
            "SELECT run, content = ?3 AND rows = ?4 FROM _towpath_loads WHERE pipeline = ?1 AND sink = ?2 AND rows > 0",
        )?;
        let rows = i64::try_from(self.rows).unwrap_or(i64::MAX);
        let found = loads.query_map(params![pipeline, sink, self.content.digest(), rows], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })?;
        let found: Vec<(String, bool)> = found.collect::<rusqlite::Result<_>>()?;
        let mut open: Vec<_> = found.into_iter().filter(|(run, _)| unsettled.contains(run)).collect();
        open.sort_by_key(|(_, is_same)| !is_same);
        Ok(open.into_iter().next())
    }
}

/// Why rows could not be put into a table.
pub(super) enum Unput {
    Frame(String),
    Bind(rusqlite::Error),
    Row(rusqlite::Error),
}

impl Unput {
    pub(super) fn of(self, shown: &str) -> Error {
        match self {
            Self::Frame(reason) => Error::bug(reason),
            Self::Bind(error) => failed(shown, &error),
            Self::Row(error) => {
                failed(shown, &error).help("nothing was written; the table has a rule that a row breaks")
            }
        }
    }
}

impl Fit {
    /// Puts rows in by a statement with a parameter for each column; `each` gets every value, and none behind a row.
    pub(super) fn put(
        &self,
        batch: &DataFrame,
        target: &Target,
        statement: &mut Statement<'_>,
        mut each: impl FnMut(Option<&Stored>),
    ) -> std::result::Result<TableBatch, Unput> {
        let rows = FrameRows::new(batch, &self.schema).map_err(Unput::Frame)?;
        let mut done = TableBatch { written: 0, rejects: Vec::new(), left_out: 0 };
        for row in rows.iter() {
            if let Some(reject) = unfit(&row, &self.homeless, target) {
                done.rejects.push(reject);
                continue;
            }
            for (number, field) in self.written.iter().enumerate() {
                let stored = types::stored(row.get(&field.name));
                each(Some(&stored));
                statement.raw_bind_parameter(number + 1, stored).map_err(Unput::Bind)?;
            }
            each(None);
            done.left_out += self.homeless.iter().filter(|field| !row.get(&field.name).is_null()).count() as u64;
            statement.raw_execute().map_err(Unput::Row)?;
            done.written += 1;
        }
        Ok(done)
    }
}

/// Why a row cannot be written, if it cannot.
fn unfit(row: &FrameRow<'_>, homeless: &[Field], target: &Target) -> Option<RejectedRow> {
    let reject = |name: &str, value: Value, reason: String| RejectedRow {
        row: row.to_json(),
        field: Some(name.to_owned()),
        value: Some(value.to_json()),
        reason,
    };
    if target.evolution == Evolution::DiscardRow {
        for field in homeless {
            let value = row.get(&field.name);
            if !value.is_null() {
                let reason = format!("table `{}` has no place for it", target.table);
                return Some(reject(&field.name, value, reason));
            }
        }
    }
    let key = target.key.iter().find(|key| row.get(key).is_null())?;
    Some(reject(key, Value::Null, format!("the key of table `{}` is null", target.table)))
}
