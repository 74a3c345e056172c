//! The whole state as JSON lines, and back: for moving to another machine, for a backup that people can read.
//!
//! The first line says what it is and of which version; every other is one row: its table and its columns as they are
//! stored, hashes (and contents, which are made of hashes) in hexadecimal. What is under way is entered in the journal before. Locks are not copied: nobody runs in a
//! copy. But their tokens go on from where they were, so that a run which held one before an import cannot write after it.

use std::cell::RefCell;
use std::io::{BufRead, Write};

use crate::database::{Connection, ToSql, Value, ValueRef, params};
use data_encoding::HEXLOWER;
use serde_json::{Map, Value as Json, json};

use crate::error::SqlResultExt;
use crate::{Error, RunId, Store, entering, lock, row, runs, schema};

/// What the first line calls it.
const KIND: &str = "towpath-state";

/// The oldest version whose copies are taken in: since then tables have only got columns that may be null.
const OLDEST: u64 = 3;

/// The tables, each behind those it refers to, and the columns by which its rows are in order.
pub(crate) const TABLES: [(&str, &str); 7] = [
    ("scope", "id"),
    ("run", "no"),
    ("node", "run, position"),
    ("cursor", "scope, node"),
    ("reject", "id"),
    ("route", "id"),
    ("journal", "id"),
];

/// The tables that give out numbers, and the column of these.
const NUMBERED: [(&str, &str); 5] =
    [("scope", "id"), ("run", "no"), ("reject", "id"), ("route", "id"), ("journal", "id")];

/// How many rows were copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Copied {
    /// Runs.
    pub runs: u64,
    /// Cursors.
    pub cursors: u64,
    /// Rejects.
    pub rejects: u64,
    /// Keys of the journal.
    pub records: u64,
}

impl Copied {
    fn count(&mut self, table: &str) {
        match table {
            "run" => self.runs += 1,
            "cursor" => self.cursors += 1,
            "reject" => self.rejects += 1,
            "journal" => self.records += 1,
            _ => {}
        }
    }
}

/// Why a copy could not be taken in, or made. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is something already.
    #[error("the state is not empty: it has {0} runs or cursors")]
    NotEmpty(u64),
    /// Somebody runs.
    #[error("run {0} holds a lock of this state")]
    Running(RunId),
    /// A line is not what it should be.
    #[error("line {line}: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// It cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The state failed.
    #[error(transparent)]
    State(#[from] Error),
}

impl Store {
    /// Writes everything as JSON lines, as it was at one moment.
    ///
    /// # Errors
    /// Those of a read; what `out` fails with.
    pub fn export(&self, out: &mut impl Write) -> Result<Copied, ImportError> {
        let out = RefCell::new(out);
        // What is under way is entered in the same transaction: else what a run puts down between the two would be missing.
        let all_of_it = |_: &Connection| Ok(false);
        self.read_journal(all_of_it, |connection| write_all(connection, &mut *out.borrow_mut()))
            .map_err(Into::into)
            .and_then(|(copied, written)| written.map(|()| copied).map_err(Into::into))
    }

    /// Takes in what [`Store::export`] wrote: all of it, or nothing. With `replace`, what there was is gone.
    ///
    /// # Errors
    /// [`ImportError`]; nothing was changed then.
    pub fn import(&self, lines: impl BufRead, replace: bool) -> Result<Copied, ImportError> {
        let mut refused = None;
        let copied = self.write("taking in a state", |connection| {
            take_in(connection, lines, replace).map_err(|error| match error {
                ImportError::State(error) => error,
                other => {
                    refused = Some(other);
                    // Ends the transaction; what is told is the refusal.
                    Error::Misuse("an import was refused".into())
                }
            })
        });
        match (refused, copied) {
            (Some(refused), _) => Err(refused),
            (None, copied) => Ok(copied?),
        }
    }
}

/// Writes everything, and says how that went beside what was read.
fn write_all(connection: &Connection, out: &mut impl Write) -> crate::Result<(Copied, std::io::Result<()>)> {
    let mut copied = Copied::default();
    let mut written = writeln!(out, "{}", json!({KIND: schema::VERSIONS.len()}));
    for (table, order) in TABLES {
        each_row(connection, table, order, |row| {
            if written.is_ok() {
                written = writeln!(out, "{}", Json::Object(row));
                copied.count(table);
            }
        })
        .doing("reading the state")?;
    }
    Ok((copied, written))
}

fn each_row(
    connection: &Connection,
    table: &str,
    order: &str,
    mut give: impl FnMut(Map<String, Json>),
) -> crate::database::Result<()> {
    connection.each(&format!("SELECT * FROM {table} ORDER BY {order}"), |names, found| {
        let mut row = Map::from_iter([("table".to_owned(), Json::from(table))]);
        for (at, name) in names.iter().enumerate() {
            let value = match found.get_ref(at)? {
                ValueRef::Null => continue,
                ValueRef::Integer(number) => number.into(),
                ValueRef::Real(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                ValueRef::Blob(bytes) => HEXLOWER.encode(bytes).into(),
            };
            row.insert(name.clone(), value);
        }
        give(row);
        Ok(())
    })
}

fn take_in(connection: &Connection, lines: impl BufRead, replace: bool) -> Result<Copied, ImportError> {
    if let Some(run) = lock::living_run(connection)? {
        return Err(ImportError::Running(run));
    }
    let there: u64 = connection
        .query_row("SELECT (SELECT count(*) FROM run) + (SELECT count(*) FROM cursor)", params![], |found| {
            row::count(found, 0)
        })
        .doing("reading the state")?;
    if there > 0 && !replace {
        return Err(ImportError::NotEmpty(there));
    }
    let token: i64 = connection
        .query_row("SELECT coalesce(max(token), 0) FROM lock", params![], |found| found.get(0))
        .doing("reading the locks")?;
    entering::enter(connection)?;
    connection.execute("DELETE FROM lock", params![]).doing("taking in a state")?;
    for (table, _) in TABLES.iter().rev() {
        connection.execute(&format!("DELETE FROM {table}"), params![]).doing("taking in a state")?;
    }
    let copied = rows(connection, lines)?;
    // A run that was going on at the export does not go on here.
    runs::mark_all_as_interrupted(connection)?;
    connection
        .execute(
            "INSERT INTO lock (scope, token, held, run, pid, host, since, heartbeat)
             SELECT id, ?1, 0, ?2, 0, '', ?3, ?3 FROM scope",
            params![token, RunId::generate().as_str(), connection.now().doing("reading the clock")?],
        )
        .doing("taking in a state")?;
    connection.numbers_taken(&NUMBERED).doing("taking in a state")?;
    Ok(copied)
}

fn rows(connection: &Connection, lines: impl BufRead) -> Result<Copied, ImportError> {
    let mut copied = Copied::default();
    let mut header = false;
    for (at, text) in lines.lines().enumerate() {
        let text = text?;
        let wrong = |reason: String| ImportError::Line { line: at + 1, reason };
        let parsed: Json = serde_json::from_str(&text).map_err(|cause| wrong(format!("not JSON: {cause}")))?;
        let Json::Object(mut row) = parsed else {
            return Err(wrong("expected an object".into()));
        };
        if !header {
            let version = row.get(KIND).and_then(Json::as_u64);
            let ours = schema::VERSIONS.len() as u64;
            match version {
                Some(version) if (OLDEST..=ours).contains(&version) => header = true,
                Some(version) => {
                    return Err(wrong(format!(
                        "it is of version {version}, and this release takes in versions {OLDEST} to {ours}"
                    )));
                }
                None => return Err(wrong(format!("expected `{{\"{KIND}\":{ours}}}`: this is no export of a state"))),
            }
            continue;
        }
        let name = row.remove("table");
        let table = TABLES.iter().map(|(table, _)| *table).find(|table| name.as_ref() == Some(&Json::from(*table)));
        let table = table.ok_or_else(|| wrong("there is no such table".into()))?;
        insert(connection, table, &row).map_err(wrong)?;
        copied.count(table);
    }
    if header { Ok(copied) } else { Err(ImportError::Line { line: 1, reason: "it is empty".into() }) }
}

/// Puts a row in. Its text is checked before: names of columns are part of the statement.
fn insert(connection: &Connection, table: &str, row: &Map<String, Json>) -> Result<(), String> {
    if let Some(odd) = row.keys().find(|name| !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')) {
        return Err(format!("`{table}` has no column `{odd}`"));
    }
    let names: Vec<&str> = row.keys().map(String::as_str).collect();
    let marks: Vec<String> = (1..=names.len()).map(|number| format!("?{number}")).collect();
    let marks = marks.join(", ");
    let values = row.iter().map(|(name, value)| stored(name, value)).collect::<Result<Vec<Value>, String>>()?;
    let sql = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
    let mut statement = connection.prepare_cached(&sql).map_err(|cause| format!("`{table}`: {cause}"))?;
    let values: Vec<&dyn ToSql> = values.iter().map(|value| value as &dyn ToSql).collect();
    statement.execute(values.as_slice()).map(drop).map_err(|cause| format!("`{table}`: {cause}"))
}

fn stored(name: &str, value: &Json) -> Result<Value, String> {
    match value {
        Json::String(text) if name.ends_with("_hash") || name.ends_with("content") => {
            HEXLOWER.decode(text.as_bytes()).map(Value::Blob).map_err(|_| format!("`{text}` is not a hash"))
        }
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Number(number) => {
            number.as_i64().map(Value::Integer).ok_or_else(|| format!("`{name}` is not a whole number"))
        }
        other => Err(format!("`{name}` is neither text nor a number: {other}")),
    }
}
