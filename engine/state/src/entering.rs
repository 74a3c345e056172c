//! Entering in the journal, in bulk, what was put down line by line while runs were sending.
//!
//! It changes nothing that the journal says, so anybody may do it at any time, whoever holds a lock: the run itself when
//! many lines have come together and at its end, the next one after a crash, and whoever reads. Rows get their numbers
//! in the order in which they were first put down, and every page is changed once for all lines.

use std::borrow::Cow;

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
    let calls = read(connection).doing("reading what is under way")?;
    if calls.is_empty() {
        return Ok(());
    }
    let mut lines = unpack(&calls)?;
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
struct Line<'a> {
    /// Its place among all of them.
    id: usize,
    route: i64,
    key_hash: Hash,
    run: i64,
    at: i64,
    entry: Entry<'a>,
}

/// The lines of one call, as they are stored.
struct Call {
    route: i64,
    run: i64,
    at: i64,
    lines: Vec<u8>,
}

/// All calls, in the order in which they were made.
fn read(connection: &Connection) -> rusqlite::Result<Vec<Call>> {
    connection
        .prepare_cached("SELECT route, run, at, lines FROM under_way ORDER BY id")?
        .query_map([], |call| {
            Ok(Call { route: call.get(0)?, run: call.get(1)?, at: call.get(2)?, lines: call.get(3)? })
        })?
        .collect()
}

/// All lines, in the order in which they were written.
fn unpack(calls: &[Call]) -> Result<Vec<Line<'_>>> {
    let mut lines = Vec::new();
    for &Call { route, run, at, lines: ref packed } in calls {
        let mut rest = packed.as_slice();
        while let Some((key_hash, entry)) = packed::take(&mut rest) {
            lines.push(Line { id: lines.len(), route, key_hash, run, at, entry });
        }
        if !rest.is_empty() {
            return Err(damage("the lines of a call cannot be read".into()));
        }
    }
    Ok(lines)
}

fn damage(detail: String) -> Error {
    Error::Corrupt { path: Default::default(), detail: format!("in what is under way: {detail}") }
}

/// What lines make of what was known of their key.
struct Story<'a> {
    known: Option<Known<'a>>,
    /// The line that made what is known of it, where it was not known before.
    since: usize,
    /// On the way all that was known was withdrawn.
    gone: bool,
}

impl<'a> Story<'a> {
    fn of(before: Option<Known<'a>>, lines: &[Line<'a>]) -> Result<Self> {
        let mut story = Self { known: before, since: 0, gone: false };
        for line in lines {
            let before = story.known.take();
            if before.is_none() {
                story.since = line.id;
            }
            story.known =
                rules::apply(before, line.entry, line.run, line.at).map_err(|misfit| damage(misfit.to_string()))?;
            story.gone |= story.known.is_none();
        }
        Ok(story)
    }

    /// The row it makes, if there is anything left to tell.
    fn fresh(self) -> Option<Fresh<'a>> {
        self.known.map(|known| Fresh { since: self.since, known })
    }
}

/// A row that the journal does not have yet.
struct Fresh<'a> {
    since: usize,
    known: Known<'a>,
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
    fn change<'l>(&mut self, lines: &[Line<'l>]) -> Result<Option<Fresh<'l>>> {
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

    fn put(&mut self, row: i64, known: &Known<'_>) -> rusqlite::Result<()> {
        self.update.raw_bind_parameter(1, row)?;
        bind(&mut self.update, 2, known)?;
        self.update.raw_execute().map(drop)
    }

    /// Whether the key of `lines` was new, and its row is there now.
    fn insert(&mut self, lines: &[Line<'_>], row: &Fresh<'_>) -> rusqlite::Result<bool> {
        let Some(Line { route, key_hash, .. }) = lines.first() else { return Ok(false) };
        self.insert.raw_bind_parameter(1, route)?;
        self.insert.raw_bind_parameter(2, key_hash)?;
        bind(&mut self.insert, 3, &row.known)?;
        self.insert.raw_execute().map(|rows| rows == 1)
    }
}

/// Gives a statement what is known of a key, its parameters from `first` on being in the order of the columns.
fn bind(statement: &mut Statement<'_>, first: usize, known: &Known<'_>) -> rusqlite::Result<()> {
    let Known { latest, outcome, attempts, key, message, confirmed } = known;
    let earlier = confirmed.as_ref();
    let columns: [&dyn ToSql; 12] = [
        &latest.payload_hash,
        outcome,
        attempts,
        &latest.run,
        &latest.at,
        &key.as_deref(),
        &latest.fields.as_deref(),
        &message.as_deref(),
        &earlier.map(|it| it.payload_hash),
        &earlier.and_then(|it| it.fields.as_deref()),
        &earlier.map(|it| it.run),
        &earlier.map(|it| it.at),
    ];
    columns.iter().enumerate().try_for_each(|(at, column)| statement.raw_bind_parameter(first + at, column))
}

fn known(found: &Row<'_>) -> rusqlite::Result<Known<'static>> {
    let text = |column| Ok::<_, rusqlite::Error>(found.get::<_, Option<String>>(column)?.map(Cow::from));
    let confirmed = match found.get::<_, Option<Hash>>(9)? {
        Some(payload_hash) => Some(Write { payload_hash, fields: text(10)?, run: found.get(11)?, at: found.get(12)? }),
        None => None,
    };
    Ok(Known {
        latest: Write { payload_hash: found.get(1)?, run: found.get(4)?, at: found.get(5)?, fields: text(7)? },
        outcome: found.get::<_, Outcome>(2)?,
        attempts: found.get(3)?,
        key: text(6)?,
        message: text(8)?,
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
