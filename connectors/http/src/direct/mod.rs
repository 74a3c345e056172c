//! Pages of JSON read straight into columns.
//!
//! Most pages are an object with a list of plain records in it. Making a tree of each record only to take values out of it
//! costs more than all the rest of a page, so here the parser gives values to columns as it comes by them. What is left of
//! the answer, which paging and success are judged by, is a tree with an empty list where the records were.
//!
//! It never decides anything: a page with something unusual in it (a record that does not fit, a list that is none, a
//! broken answer) is given up, and read the general way, which knows what to say. Both must agree; a test of made-up pages
//! holds them together.

mod fill;
mod read;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use crate::json_path::JsonPath;
use crate::plan::{ColumnFrom, ColumnPlan, PagerKind, PagerPlan, RecordsPlan, StreamPlan};
use crate::policy::{Policy, Success};
use polars::prelude::DataFrame;
use serde_json::Value as Json;
use towpath_spec::Type;

/// How a stream's pages are read this way.
#[derive(Debug)]
pub(crate) struct Direct {
    /// The members that lead to the list of records.
    path: Vec<String>,
    root: Member,
    /// Members that are kept of a record.
    slots: usize,
    /// The slot of each column.
    columns: Vec<usize>,
}

/// What is wanted of a member of a record: its value, or values inside of it.
#[derive(Debug, Default)]
struct Member {
    slot: Option<usize>,
    members: Vec<(String, Member)>,
}

/// A page.
pub(crate) struct DirectPage {
    /// All of the answer but the records.
    pub(crate) answer: Json,
    pub(crate) frame: DataFrame,
    /// See [`fingerprint`](crate::pager::fingerprint).
    pub(crate) content: u64,
}

impl Direct {
    /// For a stream whose pages can be read so.
    pub(crate) fn of(stream: &StreamPlan) -> Option<Self> {
        let RecordsPlan::Json { path, value: None, .. } = &stream.records else { return None };
        let path = path.as_ref().map_or(Some(Vec::new()), |path| path.names_to_list().map(<[String]>::to_vec))?;
        if !judged_outside(&stream.policy, stream.pager.as_ref(), &path) {
            return None;
        }
        let mut direct = Self { path, root: Member::default(), slots: 0, columns: Vec::new() };
        for column in &stream.columns {
            let slot = direct.root.slot_of(&names_of(column)?, &mut direct.slots)?;
            direct.columns.push(slot);
        }
        Some(direct)
    }

    /// Reads a page; `None` when it has to be read the general way.
    pub(crate) fn page(&self, columns: &[ColumnPlan], body: &[u8]) -> Option<DirectPage> {
        let body = towpath_mapping::exact_json(body);
        read::page(self, columns, &body)
    }
}

/// Whether nothing that is asked of an answer is asked of its records.
fn judged_outside(policy: &Policy, pager: Option<&PagerPlan>, records: &[String]) -> bool {
    let absent = policy.absent.as_ref();
    if absent.is_some_and(|absent| !absent.values.is_empty() || (absent.empty_body && records.is_empty())) {
        return false;
    }
    let outside =
        |path: &JsonPath| path.names().is_some_and(|names| !names.starts_with(records) && !records.starts_with(names));
    let success = match &policy.success {
        Success::Status => None,
        Success::Equals { path, .. } | Success::Present { path } => Some(path),
        Success::LastLineContains(_) => return false,
    };
    let of_pager = pager.and_then(|pager| match &pager.kind {
        PagerKind::Page { last, .. } => last.as_ref(),
        PagerKind::Key { from } | PagerKind::Next { from } => Some(from),
        PagerKind::Offset { .. } | PagerKind::Link | PagerKind::Max => None,
    });
    success.into_iter().chain(of_pager).chain(pager.and_then(|pager| pager.total.as_ref())).all(outside)
}

/// The names that lead to a column's value in a record.
fn names_of(column: &ColumnPlan) -> Option<Vec<String>> {
    match &column.from {
        ColumnFrom::Member(name) => Some(vec![name.clone()]),
        // A path to a list that is not there is an empty list, not null.
        ColumnFrom::Path(_) if matches!(column.ty, Type::List(_)) => None,
        ColumnFrom::Path(path) => path.names().filter(|names| !names.is_empty()).map(<[String]>::to_vec),
    }
}

impl Member {
    /// The slot of a value, a new one if nobody asked for it before; `None` when a value and a part of it are wanted.
    fn slot_of(&mut self, names: &[String], slots: &mut usize) -> Option<usize> {
        let Some((name, rest)) = names.split_first() else {
            if !self.members.is_empty() {
                return None;
            }
            return Some(*self.slot.get_or_insert_with(|| {
                *slots += 1;
                *slots - 1
            }));
        };
        if self.slot.is_some() {
            return None;
        }
        let at = match self.members.iter().position(|(known, _)| known == name) {
            Some(at) => at,
            None => {
                self.members.push((name.clone(), Self::default()));
                self.members.len() - 1
            }
        };
        self.members[at].1.slot_of(rest, slots)
    }

    /// The member of a name. Records have their members in the same order, so the one behind the last is tried first.
    fn find(&self, name: &str, next: &mut usize) -> Option<&Self> {
        let at = match self.members.get(*next) {
            Some((known, _)) if known == name => *next,
            _ => self.members.iter().position(|(known, _)| known == name)?,
        };
        *next = at + 1;
        Some(&self.members[at].1)
    }
}
