//! What a load would change in a table: the rows are put aside in a database of their own, and compared by SQL with the
//! file, which is open for reading alone.

use super::sink::{Fit, SqliteTable};
use super::{PATIENCE, escaped, failed, quoted};
use crate::table::Mode;
use polars::prelude::DataFrame;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use towpath_connector::{ChangedRow, Differences, Error, Record, Result, TableBatch, TableLook};
use towpath_spec::Schema;

/// The rows that would be loaded.
const ASIDE: &str = "aside";

/// Rows that are shown with what would change in them.
const SAMPLES: usize = 3;

/// Rows that are compared with a table.
pub(super) struct SqliteLook {
    table: SqliteTable,
    connection: Connection,
    fit: Fit,
    insert: String,
    is_there: bool,
    /// Columns of the table that are not written.
    unwritten: Vec<String>,
}

impl SqliteLook {
    /// Looks how these columns fit the table.
    ///
    /// # Errors
    /// They do not, or the file cannot be read.
    pub(super) fn open(table: SqliteTable, schema: &Schema) -> Result<Self> {
        let shown = table.shown();
        let doing = |error: rusqlite::Error| failed(&shown, &error);
        // Without a name it is a file of its own that is gone with the connection.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags("", flags).map_err(doing)?;
        connection.busy_timeout(PATIENCE).map_err(doing)?;
        let mut known = None;
        if table.path.is_file() {
            let path = std::path::absolute(&table.path).map_err(|error| Error::from(error).at(table.path.display()))?;
            let file = format!("file:{}?{}", escaped(&path), mode(&path));
            connection.execute("ATTACH ?1 AS there", [file]).map_err(doing)?;
            known = table.known(&connection, "there").map_err(doing)?;
        }
        let fit = table.fit(known.as_deref(), schema)?;
        connection.execute_batch("BEGIN").map_err(doing)?;
        table.stage(&connection, ASIDE, &fit.written).map_err(doing)?;
        let names: Vec<String> = fit.written.iter().map(|field| quoted(&field.name)).collect();
        let marks: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
        let insert = format!("INSERT INTO {ASIDE} ({}) VALUES ({})", names.join(", "), marks.join(", "));
        let is_there = known.is_some();
        let is_written = |name: &str| fit.written.iter().any(|field| field.name.eq_ignore_ascii_case(name));
        let names = known.into_iter().flatten().map(|column| column.name);
        let unwritten = names.filter(|name| !is_written(name)).collect();
        Ok(Self { table, connection, fit, insert, is_there, unwritten })
    }

    fn number(&self, query: &str) -> rusqlite::Result<u64> {
        self.connection.query_row(query, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    }

    fn compare(&self) -> rusqlite::Result<Differences> {
        let all = self.number(&format!("SELECT count(*) FROM {ASIDE}"))?;
        let mut found = Differences { insert: all, makes_table: !self.is_there, ..Differences::default() };
        if !self.is_there {
            return Ok(found);
        }
        found.new_columns = self.fit.new.iter().map(|field| field.name.clone()).collect();
        let there = format!("there.{}", quoted(&self.table.target.table));
        match self.table.target.mode {
            Mode::Replace => {
                found.unchanged = self.equal_rows(&there)?;
                found.insert = all - found.unchanged;
                found.delete = self.number(&format!("SELECT count(*) FROM {there}"))? - found.unchanged;
            }
            Mode::Merge => self.compare_by_key(&there, &mut found)?,
            Mode::Append | Mode::Create => {}
        }
        Ok(found)
    }

    /// How many rows are there as they come, each counted once: a row that comes twice is there twice, too.
    fn equal_rows(&self, there: &str) -> rusqlite::Result<u64> {
        let is_new = |name: &str| self.fit.new.iter().any(|field| field.name == name);
        let (mut come, mut are) = (Vec::new(), Vec::new());
        for field in &self.fit.written {
            come.push(quoted(&field.name));
            // A column that one of the two does not have is null there.
            are.push(if is_new(&field.name) { "NULL".to_owned() } else { quoted(&field.name) });
        }
        for name in &self.unwritten {
            come.push("NULL".to_owned());
            are.push(quoted(name));
        }
        let numbered = |columns: &[String], table: &str| {
            let columns = columns.join(", ");
            format!("SELECT {columns}, row_number() OVER (PARTITION BY {columns}) FROM {table}")
        };
        self.number(&format!("SELECT count(*) FROM ({} INTERSECT {})", numbered(&come, ASIDE), numbered(&are, there)))
    }

    fn compare_by_key(&self, there: &str, found: &mut Differences) -> rusqlite::Result<()> {
        let key: Vec<String> = self.table.target.key.iter().map(|name| quoted(name)).collect();
        let same: Vec<String> = key.iter().map(|name| format!("t.{name} = a.{name}")).collect();
        let joined = format!("{ASIDE} AS a JOIN {there} AS t ON {}", same.join(" AND "));
        let is_new = |name: &str| self.fit.new.iter().any(|field| field.name == name);
        // A column the table does not have is null in all of its rows.
        let before = |name: &str| if is_new(name) { "NULL".to_owned() } else { format!("t.{}", quoted(name)) };
        let others: Vec<&str> =
            self.fit.written.iter().map(|field| field.name.as_str()).filter(|name| !self.is_key(name)).collect();
        let differs: Vec<String> =
            others.iter().map(|name| format!("{} IS NOT a.{}", before(name), quoted(name))).collect();
        let any = if differs.is_empty() { "false".to_owned() } else { differs.join(" OR ") };
        let matched = self.number(&format!("SELECT count(*) FROM {joined}"))?;
        // Of a table that knows no key, several rows may have one.
        let missing = format!(
            "SELECT count(*) FROM {ASIDE} AS a WHERE NOT EXISTS (SELECT 1 FROM {there} AS t WHERE {})",
            same.join(" AND ")
        );
        found.insert = self.number(&missing)?;
        found.update = self.number(&format!("SELECT count(*) FROM {joined} WHERE {any}"))?;
        found.unchanged = matched - found.update;
        for (name, differs) in others.iter().zip(&differs) {
            let rows = self.number(&format!("SELECT count(*) FROM {joined} WHERE {differs}"))?;
            if rows > 0 {
                found.changed.push(((*name).to_owned(), rows));
            }
        }
        let keys = key.iter().map(|name| format!("a.{name}"));
        let pairs = others.iter().flat_map(|name| [before(name), format!("a.{}", quoted(name))]);
        let columns: Vec<String> = keys.chain(pairs).collect();
        let query = format!("SELECT {} FROM {joined} WHERE {any} ORDER BY a.rowid LIMIT {SAMPLES}", columns.join(", "));
        let mut statement = self.connection.prepare(&query)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut sample = ChangedRow { key: Record::new(), fields: Vec::new() };
            for (at, name) in self.table.target.key.iter().enumerate() {
                sample.key.insert(name.clone(), shown(row.get_ref(at)?));
            }
            for (at, name) in others.iter().enumerate() {
                let at = self.table.target.key.len() + 2 * at;
                let (before, after) = (shown(row.get_ref(at)?), shown(row.get_ref(at + 1)?));
                if before != after {
                    sample.fields.push(((*name).to_owned(), before, after));
                }
            }
            found.samples.push(sample);
        }
        Ok(())
    }

    fn is_key(&self, name: &str) -> bool {
        self.table.target.key.iter().any(|key| key == name)
    }
}

impl TableLook for SqliteLook {
    fn take(&mut self, batch: &DataFrame) -> Result<TableBatch> {
        let shown = self.table.shown();
        let mut statement = self.connection.prepare_cached(&self.insert).map_err(|error| failed(&shown, &error))?;
        self.fit.put(batch, &self.table.target, &mut statement, |_| {}).map_err(|put| put.of(&shown))
    }

    fn differences(&mut self) -> Result<Differences> {
        self.compare().map_err(|error| failed(self.table.shown(), &error))
    }
}

/// How a file is opened so that nothing is left beside it. To read one with a write-ahead log SQLite makes the log and its
/// index even where there is nothing in it; then the file is all there is, and need not be locked.
fn mode(path: &Path) -> &'static str {
    let mut head = [0; 20];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut head));
    let has_log_of = |suffix: &str| {
        let mut log = path.as_os_str().to_owned();
        log.push(suffix);
        std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
    };
    // Byte 18 of the file: 2 for a write-ahead log.
    let is_ahead = read.is_ok() && head[18] == 2;
    if is_ahead && !has_log_of("-wal") { "immutable=1" } else { "mode=ro" }
}

/// A stored value as it is shown.
fn shown(value: ValueRef<'_>) -> Json {
    match value {
        ValueRef::Null => Json::Null,
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(bytes) => format!("{} bytes", bytes.len()).into(),
    }
}
