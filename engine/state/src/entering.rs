//! Entering in the journal, in bulk, what was put down line by line while runs were sending.
//!
//! It changes nothing that the journal says, so anybody may do it at any time, whoever holds a lock: the run itself when
//! many lines have come together and at its end, the next one after a crash, and whoever reads. Rows get their numbers
//! in the order in which they were first put down, and every page is changed once for all lines.

use rusqlite::{Connection, OptionalExtension, Row, Statement, ToSql, params};

use crate::error::SqlResultExt;
use crate::rules::{self, Entry, Hash, Known, Write};
use crate::{Error, Outcome, Result, packed, row};

/// How many calls have left lines that are not yet entered.
pub(crate) fn waiting(connection: &Connection) -> Result<u64> {
    connection
        .prepare_cached("SELECT ifnull(max(id), 0) FROM under_way")
        .and_then(|mut last| last.query_row([], |found| row::count(found, 0)))
        .doing("reading what is under way")
}

/// Enters all lines. Called in a transaction.
///
/// # Errors
/// Those of a write; [`Error::Corrupt`] for a line that does not fit what is known of its key, which is never written.
pub(crate) fn enter(connection: &Connection) -> Result<()> {
    let mut lines = read(connection)?;
    if lines.is_empty() {
        return Ok(());
    }
    // The lines of a key together, and keys in the order of their index.
    lines.sort_by_cached_key(|line| (line.route, u128::from_be_bytes(line.key_hash), line.id));
    let mut desk = Desk::open(connection).doing("entering lines in the journal")?;
    let mut fresh = Vec::new();
    for lines in lines.chunk_by(|one, next| (one.route, one.key_hash) == (next.route, next.key_hash)) {
        // Most keys are new, which is found out when they are inserted.
        let supposed = match lines {
            [Line { entry: Entry::Intent { .. }, .. }, ..] => Story::of(None, lines)?.fresh(),
            _ => None,
        };
        fresh.extend(supposed.map_or_else(|| desk.change(lines), |row| Ok(Some(row)))?.map(|row| (row, lines)));
    }
    fresh.sort_unstable_by_key(|(row, _)| row.since);
    for (row, lines) in fresh {
        if !desk.insert(lines, &row).doing("entering lines in the journal")?
            && let Some(row) = desk.change(lines)?
        {
            desk.insert(lines, &row).doing("entering lines in the journal")?;
        }
    }
    connection.execute("DELETE FROM under_way", []).map(drop).doing("entering lines in the journal")
}

/// One line under way.
struct Line {
    /// Its place among all of them.
    id: usize,
    route: i64,
    key_hash: Hash,
    run: i64,
    at: i64,
    entry: Entry,
}

/// All lines, in the order in which they were written.
fn read(connection: &Connection) -> Result<Vec<Line>> {
    let mut lines = Vec::new();
    let mut calls = connection
        .prepare_cached("SELECT route, run, at, lines FROM under_way ORDER BY id")
        .doing("reading what is under way")?;
    let mut calls = calls.query([]).doing("reading what is under way")?;
    while let Some(call) = calls.next().doing("reading what is under way")? {
        let unpacked = unpack(call, &mut lines).doing("reading what is under way")?;
        if !unpacked {
            return Err(damage("the lines of a call cannot be read".into()));
        }
    }
    Ok(lines)
}

/// Whether what the row holds are lines and nothing else.
fn unpack(call: &Row<'_>, lines: &mut Vec<Line>) -> rusqlite::Result<bool> {
    let (route, run, at) = (call.get(0)?, call.get(1)?, call.get(2)?);
    let mut rest = call.get_ref(3)?.as_blob()?;
    while let Some((key_hash, entry)) = packed::take(&mut rest) {
        lines.push(Line { id: lines.len(), route, key_hash, run, at, entry });
    }
    Ok(rest.is_empty())
}

fn damage(detail: String) -> Error {
    Error::Corrupt { path: Default::default(), detail: format!("in what is under way: {detail}") }
}

/// What lines make of what was known of their key.
struct Story {
    known: Option<Known>,
    /// The line that made what is known of it, where it was not known before.
    since: usize,
    /// On the way all that was known was withdrawn.
    gone: bool,
}

impl Story {
    fn of(before: Option<Known>, lines: &[Line]) -> Result<Self> {
        let mut story = Self { known: before, since: 0, gone: false };
        for line in lines {
            let before = story.known.take();
            if before.is_none() {
                story.since = line.id;
            }
            story.known =
                rules::apply(before, &line.entry, line.run, line.at).map_err(|misfit| damage(misfit.to_string()))?;
            story.gone |= story.known.is_none();
        }
        Ok(story)
    }

    /// The row it makes, if there is anything left to tell.
    fn fresh(self) -> Option<Fresh> {
        self.known.map(|known| Fresh { since: self.since, known })
    }
}

/// A row that the journal does not have yet.
struct Fresh {
    since: usize,
    known: Known,
}

/// The statements, looked up once.
struct Desk<'a> {
    look: Statement<'a>,
    insert: Statement<'a>,
    update: Statement<'a>,
    delete: Statement<'a>,
}

impl<'a> Desk<'a> {
    fn open(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            look: connection.prepare(LOOK)?,
            insert: connection.prepare(INSERT)?,
            update: connection.prepare(UPDATE)?,
            delete: connection.prepare("DELETE FROM journal WHERE id = ?1")?,
        })
    }

    /// Changes the row of a key, or gives back the one that it is to have.
    fn change(&mut self, lines: &[Line]) -> Result<Option<Fresh>> {
        let Some(Line { route, key_hash, .. }) = lines.first() else { return Ok(None) };
        let (row, known) = self
            .look
            .query_row(params![route, key_hash], |found| Ok((found.get::<_, i64>(0)?, known(found)?)))
            .optional()
            .doing("entering lines in the journal")?
            .unzip();
        let story = Story::of(known, lines)?;
        match (row, &story.known) {
            (Some(row), Some(known)) if !story.gone => {
                self.put(row, known).doing("entering lines in the journal")?;
                return Ok(None);
            }
            // A key that comes back after all was withdrawn is as new as any other.
            (Some(row), _) => self.delete.execute([row]).map(drop).doing("entering lines in the journal")?,
            (None, _) => {}
        }
        Ok(story.fresh())
    }

    fn put(&mut self, row: i64, known: &Known) -> rusqlite::Result<()> {
        self.update.raw_bind_parameter(1, row)?;
        bind(&mut self.update, 2, known)?;
        self.update.raw_execute().map(drop)
    }

    /// Whether the key of `lines` was new, and its row is there now.
    fn insert(&mut self, lines: &[Line], row: &Fresh) -> rusqlite::Result<bool> {
        let Some(Line { route, key_hash, .. }) = lines.first() else { return Ok(false) };
        self.insert.raw_bind_parameter(1, route)?;
        self.insert.raw_bind_parameter(2, key_hash)?;
        bind(&mut self.insert, 3, &row.known)?;
        self.insert.raw_execute().map(|rows| rows == 1)
    }
}

/// Gives a statement what is known of a key, its parameters from `first` on being in the order of the columns.
fn bind(statement: &mut Statement<'_>, first: usize, known: &Known) -> rusqlite::Result<()> {
    let Known { latest, outcome, attempts, key, message, confirmed } = known;
    let earlier = confirmed.as_ref();
    let columns: [&dyn ToSql; 12] = [
        &latest.payload_hash,
        outcome,
        attempts,
        &latest.run,
        &latest.at,
        key,
        &latest.fields,
        message,
        &earlier.map(|it| it.payload_hash),
        &earlier.and_then(|it| it.fields.as_deref()),
        &earlier.map(|it| it.run),
        &earlier.map(|it| it.at),
    ];
    columns.iter().enumerate().try_for_each(|(at, column)| statement.raw_bind_parameter(first + at, column))
}

fn known(found: &Row<'_>) -> rusqlite::Result<Known> {
    let confirmed = match found.get::<_, Option<Hash>>(9)? {
        Some(payload_hash) => {
            Some(Write { payload_hash, fields: found.get(10)?, run: found.get(11)?, at: found.get(12)? })
        }
        None => None,
    };
    Ok(Known {
        latest: Write { payload_hash: found.get(1)?, run: found.get(4)?, at: found.get(5)?, fields: found.get(7)? },
        outcome: found.get::<_, Outcome>(2)?,
        attempts: found.get(3)?,
        key: found.get(6)?,
        message: found.get(8)?,
        confirmed,
    })
}

const LOOK: &str = "
    SELECT id, payload_hash, outcome, attempts, run, at, key, fields, message,
           confirmed_hash, confirmed_fields, confirmed_run, confirmed_at
    FROM journal WHERE route = ?1 AND key_hash = ?2";

const INSERT: &str = "
    INSERT INTO journal (route, key_hash, payload_hash, outcome, attempts, run, at, key, fields, message,
                         confirmed_hash, confirmed_fields, confirmed_run, confirmed_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
    ON CONFLICT (route, key_hash) DO NOTHING";

const UPDATE: &str = "
    UPDATE journal SET payload_hash = ?2, outcome = ?3, attempts = ?4, run = ?5, at = ?6, key = ?7, fields = ?8, message = ?9,
                       confirmed_hash = ?10, confirmed_fields = ?11, confirmed_run = ?12, confirmed_at = ?13
    WHERE id = ?1";
