//! Entering in the journal, in bulk, what was put down line by line while runs were sending.
//!
//! It changes nothing that the journal says, so anybody may do it at any time, whoever holds a lock: the run itself when
//! many lines have come together and at its end, the next one after a crash, and whoever reads. Rows get their numbers
//! in the order in which they were first put down, and every page is changed once for all lines.

use std::borrow::Cow;

use crate::database::{Connection, Row, ToSqlOutput, Value, ValueRef, params};
use crate::error::SqlResultExt;
use crate::rules::{self, Entry, Hash, Known, Write};
use crate::{Error, Outcome, Result, packed, row};

/// How many keys are looked up before what is found of them is changed.
const LOT: usize = 4096;

/// How many calls have left lines that are not yet entered.
pub(crate) fn waiting(connection: &Connection) -> Result<u64> {
    connection
        .prepare_cached("SELECT coalesce((SELECT max(id) FROM under_way) - (SELECT min(id) FROM under_way) + 1, 0)")
        .and_then(|mut last| last.query_row(params![], |found| row::count(found, 0)))
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
    let desk = Desk { connection };
    let (mut fresh, mut met) = (Vec::new(), Vec::new());
    for lines in lines.chunk_by(|one, next| (one.route, one.key_hash) == (next.route, next.key_hash)) {
        // Most keys are new, which is found out when they are inserted.
        let supposed = match lines {
            [Line { entry: Entry::Intent { .. }, .. }, ..] => Story::of(None, lines)?.fresh(),
            _ => None,
        };
        match supposed {
            Some(row) => fresh.push((row, lines)),
            None => met.push(lines),
        }
    }
    fresh.extend(desk.change(&met)?);
    let there = desk.insert(fresh)?;
    // A key that comes back after all was withdrawn is as new as any other.
    let again = desk.change(&there)?;
    desk.insert(again)?;
    connection.execute("DELETE FROM under_way", params![]).map(drop).doing("entering lines in the journal")
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
fn read(connection: &Connection) -> crate::database::Result<Vec<Call>> {
    connection
        .prepare_cached("SELECT route, run, at, lines FROM under_way ORDER BY id")?
        .query_map(params![], |call| {
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

/// What is read and written of the journal, in lots: a server is told much at a time.
struct Desk<'c> {
    connection: &'c Connection,
}

/// The lines of one key.
type OfKey<'s, 'l> = &'s [Line<'l>];

impl Desk<'_> {
    /// Changes the rows of keys, and gives back those that keys are to have anew.
    fn change<'s, 'l>(&self, keys: &[OfKey<'s, 'l>]) -> Result<Vec<(Fresh<'l>, OfKey<'s, 'l>)>> {
        let mut fresh = Vec::new();
        for keys in keys.chunks(LOT) {
            let asked = keys.iter().filter_map(|lines| lines.first()).map(hashed);
            let found = self
                .connection
                .query_many(LOOK, asked, |found| Ok((found.get::<i64>(0)?, known(found)?)))
                .doing("entering lines in the journal")?;
            let (mut changed, mut gone) = (Vec::new(), Vec::new());
            for (lines, found) in keys.iter().zip(found) {
                let (row, known) = found.unzip();
                let story = Story::of(known, lines)?;
                match (row, story) {
                    (Some(row), Story { known: Some(known), gone: false, .. }) => changed.push((row, known)),
                    (row, story) => {
                        gone.extend(row);
                        fresh.extend(story.fresh().map(|row| (row, *lines)));
                    }
                }
            }
            let changed = changed.iter().map(|(row, known)| columns([ToSqlOutput::from(*row)], known));
            self.connection.execute_many::<15>(UPDATE, changed).doing("entering lines in the journal")?;
            let gone = gone.into_iter().map(|row| [ToSqlOutput::from(row)]);
            self.connection
                .execute_many("DELETE FROM journal WHERE id = ?1", gone)
                .doing("entering lines in the journal")?;
        }
        Ok(fresh)
    }

    /// Puts rows in, in the order in which their keys were first put down. Returns the keys that were there already.
    fn insert<'s, 'l>(&self, mut fresh: Vec<(Fresh<'l>, OfKey<'s, 'l>)>) -> Result<Vec<OfKey<'s, 'l>>> {
        fresh.sort_unstable_by_key(|(row, _)| row.since);
        let rows = fresh.iter().filter_map(|(row, lines)| Some(columns(hashed(lines.first()?), &row.known)));
        let inserted = self.connection.execute_many::<16>(INSERT, rows).doing("entering lines in the journal")?;
        Ok(fresh.iter().zip(inserted).filter(|(_, rows)| *rows == 0).map(|((_, lines), _)| *lines).collect())
    }
}

fn hashed<'v>(line: &'v Line<'_>) -> [ToSqlOutput<'v>; 2] {
    [ToSqlOutput::from(line.route), ToSqlOutput::from(line.key_hash.as_slice())]
}

/// What says which row it is, and what is known of its key, in the order of the columns.
fn columns<'v, const M: usize, const N: usize>(
    row: [ToSqlOutput<'v>; M],
    known: &'v Known<'_>,
) -> [ToSqlOutput<'v>; N] {
    let Known { latest, outcome, attempts, key, message, confirmed } = known;
    let earlier = confirmed.as_ref();
    let columns = [
        hash(Some(&latest.payload_hash)),
        number(Some(*outcome as i64)),
        number(Some(*attempts)),
        number(Some(latest.run)),
        number(Some(latest.at)),
        text(key.as_deref()),
        text(latest.fields.as_deref()),
        text(message.as_deref()),
        hash(earlier.map(|it| &it.payload_hash)),
        text(earlier.and_then(|it| it.fields.as_deref())),
        number(earlier.map(|it| it.run)),
        number(earlier.map(|it| it.at)),
        bytes(&latest.content),
        bytes(earlier.map_or(&[], |it| &it.content)),
    ];
    let mut all = row.into_iter().chain(columns);
    std::array::from_fn(|_| all.next().unwrap_or(number(None)))
}

fn number<'v>(value: Option<i64>) -> ToSqlOutput<'v> {
    ToSqlOutput::Owned(value.map_or(Value::Null, Value::Integer))
}

fn text(value: Option<&str>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value.map_or(ValueRef::Null, ValueRef::from))
}

fn hash(value: Option<&Hash>) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(value.map_or(ValueRef::Null, |hash| ValueRef::Blob(hash)))
}

/// Nothing for none.
fn bytes(value: &[u8]) -> ToSqlOutput<'_> {
    ToSqlOutput::Borrowed(if value.is_empty() { ValueRef::Null } else { ValueRef::Blob(value) })
}

fn known(found: &Row<'_>) -> crate::database::Result<Known<'static>> {
    let text = |column| Ok::<_, crate::database::Failure>(found.get::<Option<String>>(column)?.map(Cow::from));
    let content = |column| {
        let found = found.get::<Option<Vec<u8>>>(column)?;
        Ok::<_, crate::database::Failure>(Cow::from(found.unwrap_or_default()))
    };
    let confirmed = match found.get::<Option<Hash>>(9)? {
        Some(payload_hash) => {
            let (fields, run, at) = (text(10)?, found.get(11)?, found.get(12)?);
            Some(Write { payload_hash, content: content(14)?, fields, run, at })
        }
        None => None,
    };
    let (payload_hash, run, at) = (found.get(1)?, found.get(4)?, found.get(5)?);
    Ok(Known {
        latest: Write { payload_hash, content: content(13)?, run, at, fields: text(7)? },
        outcome: found.get::<Outcome>(2)?,
        attempts: found.get(3)?,
        key: text(6)?,
        message: text(8)?,
        confirmed,
    })
}

const LOOK: &str = "
    SELECT id, payload_hash, outcome, attempts, run, at, key, fields, message,
           confirmed_hash, confirmed_fields, confirmed_run, confirmed_at, content, confirmed_content
    FROM journal WHERE route = ?1 AND key_hash = ?2";

const INSERT: &str = "
    INSERT INTO journal (route, key_hash, payload_hash, outcome, attempts, run, at, key, fields, message,
                         confirmed_hash, confirmed_fields, confirmed_run, confirmed_at, content, confirmed_content)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
    ON CONFLICT (route, key_hash) DO NOTHING";

const UPDATE: &str = "
    UPDATE journal SET payload_hash = ?2, outcome = ?3, attempts = ?4, run = ?5, at = ?6, key = ?7, fields = ?8, message = ?9,
                       confirmed_hash = ?10, confirmed_fields = ?11, confirmed_run = ?12, confirmed_at = ?13,
                       content = ?14, confirmed_content = ?15
    WHERE id = ?1";
