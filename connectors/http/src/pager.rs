//! Which page comes next, and that it is not one that was there already.

use crate::json_path::Place;
use crate::plan::{PagerKind, PagerPlan};
use polars::prelude::PlFixedStateQuality;
use reqwest::header::{HeaderMap, LINK};
use serde_json::{Value as Json, json};
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher};
use towpath_connector::{Error, Result};
use url::Url;

/// The most records that are asked for in one answer.
const MOST: u64 = 10_000_000;

/// Where a paged read stands.
#[derive(Debug, Clone)]
pub(crate) struct Pager {
    plan: Option<PagerPlan>,
    what: String,
    number: i64,
    offset: i64,
    /// Records asked for.
    size: Option<u64>,
    key: Option<Json>,
    next_url: Option<Url>,
    seen_records: u64,
    pages: u64,
    done: bool,
    contents: HashSet<u64>,
    keys: HashSet<String>,
}

/// What a page told.
pub(crate) struct Page<'a> {
    pub(crate) answer: &'a Json,
    pub(crate) headers: &'a HeaderMap,
    /// Where it came from.
    pub(crate) url: &'a Url,
    pub(crate) records: usize,
    /// A fingerprint of its records.
    pub(crate) content: u64,
}

/// A fingerprint of records.
pub(crate) fn fingerprint<T: AsRef<Json>>(records: &[T]) -> u64 {
    let mut fingerprint = Fingerprint::default();
    records.iter().for_each(|record| fingerprint.value(record.as_ref()));
    fingerprint.finish()
}

/// What values look like as they are written: a page that comes again has its members in the same order.
pub(crate) struct Fingerprint(<PlFixedStateQuality as BuildHasher>::Hasher);

impl Default for Fingerprint {
    fn default() -> Self {
        Self(PlFixedStateQuality::default().build_hasher())
    }
}

impl Fingerprint {
    pub(crate) fn null(&mut self) {
        self.0.write_u8(0);
    }

    pub(crate) fn truth(&mut self, truth: bool) {
        self.0.write_u8(1 + u8::from(truth));
    }

    pub(crate) fn int(&mut self, number: i64) {
        self.0.write_i64(number);
    }

    /// A whole number beyond 63 bits.
    pub(crate) fn large(&mut self, number: u64) {
        self.0.write_u64(number);
    }

    pub(crate) fn float(&mut self, number: f64) {
        self.0.write_u64(number.to_bits());
    }

    pub(crate) fn text(&mut self, text: &str) {
        text.hash(&mut self.0);
    }

    /// A list or an object begins.
    pub(crate) fn open(&mut self) {
        self.0.write_u8(3);
    }

    /// A list or an object ends.
    pub(crate) fn close(&mut self) {
        self.0.write_u8(4);
    }

    pub(crate) fn value(&mut self, value: &Json) {
        match value {
            Json::Null => self.null(),
            Json::Bool(truth) => self.truth(*truth),
            Json::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => self.int(number),
                (None, Some(number)) => self.large(number),
                (None, None) => self.float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => self.text(text),
            Json::Array(items) => {
                self.open();
                items.iter().for_each(|item| self.value(item));
                self.close();
            }
            Json::Object(members) => {
                self.open();
                for (name, member) in members {
                    self.text(name);
                    self.value(member);
                }
                self.close();
            }
        }
    }

    pub(crate) fn finish(&self) -> u64 {
        self.0.finish()
    }
}

impl Pager {
    pub(crate) fn new(what: &str, plan: Option<PagerPlan>) -> Self {
        let first = match plan.as_ref().map(|plan| &plan.kind) {
            Some(PagerKind::Page { first, .. } | PagerKind::Offset { first }) => *first,
            _ => 0,
        };
        Self {
            what: what.to_owned(),
            number: first,
            offset: first,
            size: plan.as_ref().and_then(|plan| plan.size),
            key: None,
            next_url: None,
            seen_records: 0,
            pages: 0,
            done: false,
            contents: HashSet::new(),
            keys: HashSet::new(),
            plan,
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// What `page.…` stands for in the next request.
    pub(crate) fn names(&self) -> Json {
        json!({"number": self.number, "size": self.size, "offset": self.offset, "key": self.key})
    }

    /// The URL of the next page, when the last answer gave it.
    pub(crate) fn next_url(&self) -> Option<&Url> {
        self.next_url.as_ref()
    }

    /// Where the read stands, for a checkpoint.
    pub(crate) fn position(&self) -> Json {
        json!({
            "page": self.number, "offset": self.offset, "key": self.key, "size": self.size,
            "next": self.next_url.as_ref().map(Url::as_str), "records": self.seen_records, "done": self.done,
        })
    }

    /// Goes on behind a [`position`](Self::position); false when it is none. What was on the pages before it is not known,
    /// so that a loop is noticed one round later.
    pub(crate) fn go_on(&mut self, position: &Json) -> bool {
        let number = |name: &str| position.get(name).and_then(Json::as_i64);
        let (Some(page), Some(offset), Some(done)) = (number("page"), number("offset"), position["done"].as_bool())
        else {
            return false;
        };
        let next_url = match &position["next"] {
            Json::Null => None,
            next => match next.as_str().and_then(|next| next.parse().ok()) {
                Some(url) => Some(url),
                None => return false,
            },
        };
        self.number = page;
        self.offset = offset;
        self.key = Some(position["key"].clone()).filter(|key| !key.is_null());
        self.size = position["size"].as_u64();
        self.seen_records = position["records"].as_u64().unwrap_or_default();
        self.next_url = next_url;
        self.done = done;
        true
    }

    /// Whether an answer was cut at the number of records asked for, where that is all that can be asked for. Then the same
    /// is to be asked for again, and nothing of this answer counts.
    ///
    /// # Errors
    /// There are more records than can be asked for.
    pub(crate) fn was_cut(&mut self, records: usize) -> Result<bool> {
        let most = self.plan.as_ref().is_some_and(|plan| matches!(plan.kind, PagerKind::Max));
        let Some(size) = self.size.filter(|size| most && records as u64 >= *size) else { return Ok(false) };
        if size >= MOST {
            return Err(Error::remote(format!("{}: there are more than {MOST} records, all in one answer", self.what))
                .help("ask for fewer by the parameters of the stream"));
        }
        self.size = Some(size.saturating_mul(10).min(MOST));
        Ok(true)
    }

    /// There was nothing, and there is nothing behind it.
    pub(crate) fn finish(&mut self) {
        self.done = true;
    }

    /// Goes on behind a page.
    ///
    /// # Errors
    /// The page, or the key of the next one, was there before: going on would never end.
    pub(crate) fn advance(&mut self, page: &Page<'_>) -> Result<()> {
        self.pages += 1;
        self.seen_records += page.records as u64;
        let Some(plan) = self.plan.clone() else {
            self.done = true;
            return Ok(());
        };
        if page.records > 0 && !self.contents.insert(page.content) {
            return Err(self.again(&format!("page {} holds the same records as one before it", self.pages)));
        }
        self.ends_well(&plan, page);
        let total = plan.total.as_ref().and_then(|path| path.first(page.answer)).and_then(whole);
        let short = plan.stop_when_short && plan.size.is_some_and(|size| (page.records as u64) < size);
        let counted = total.is_some_and(|total| i64::try_from(self.seen_records).is_ok_and(|seen| seen >= total));
        self.done = match &plan.kind {
            PagerKind::Page { last, .. } => {
                let last = last.as_ref().and_then(|path| path.first(page.answer)).and_then(whole);
                let ended = last.is_some_and(|last| self.number >= last);
                self.number += 1;
                page.records == 0 || short || counted || ended
            }
            PagerKind::Offset { .. } => {
                self.offset += i64::try_from(page.records).unwrap_or(i64::MAX);
                page.records == 0 || short || counted
            }
            PagerKind::Key { from } => {
                self.key = from.first(page.answer).filter(|key| !is_end(key)).cloned();
                if let Some(key) = self.key.clone() {
                    self.once(key.to_string(), "the key of the next page")?;
                }
                self.key.is_none() || counted
            }
            PagerKind::Next { from } => {
                let next = from.first(page.answer).filter(|next| !is_end(next));
                let next = next.and_then(Json::as_str).map(str::to_owned);
                self.follow(next, page.url)? || counted
            }
            // There is one answer.
            PagerKind::Max => true,
            PagerKind::Link => self.follow(next_link(page.headers), page.url)? || counted,
        };
        if let (true, false, Some(total)) = (self.done, counted, total) {
            // To take a list for empty that is not has others believe that something is missing, and make it again.
            if self.seen_records == 0 && total > 0 {
                let message =
                    format!("{}: the answer says that there are {total} records, and not one came", self.what);
                return Err(Error::remote(message).help("is the number of the first page right? see `overrides`"));
            }
            tracing::warn!(
                stream = self.what,
                records = self.seen_records,
                total,
                "the last page came before as many records as the answer says there are; is the number of the first page right?"
            );
        }
        Ok(())
    }

    /// Warns when a first page is full and has no word of a next one: its place in the definition may be wrong. A system
    /// that has no more says so, or leaves it out, which looks the same.
    fn ends_well(&self, plan: &PagerPlan, page: &Page<'_>) {
        let (PagerKind::Key { from } | PagerKind::Next { from }) = &plan.kind else { return };
        let is_full = plan.size.is_some_and(|size| page.records as u64 >= size);
        if self.pages == 1 && is_full && matches!(from.place(page.answer), Place::Without(_) | Place::Other(_)) {
            tracing::warn!(
                stream = self.what,
                records = page.records,
                "the first page is full, and there is no `{}` in the answer: no further page is read; is that path right?",
                from.as_str()
            );
        }
    }

    /// True at the end.
    fn follow(&mut self, next: Option<String>, from: &Url) -> Result<bool> {
        let Some(written) = next else {
            self.next_url = None;
            return Ok(true);
        };
        let mut url = from
            .join(&written)
            .map_err(|error| Error::remote(format!("{}: the URL of the next page is none: {error}", self.what)))?;
        if url.origin() != from.origin() {
            return Err(Error::remote(format!(
                "{}: the next page is said to be on another host, {}, where credentials are not sent",
                self.what,
                crate::transport::host_port(&url)
            )));
        }
        // Credentials are added to every call, and have no business in a position that is kept.
        let secret = |name: &str| self.plan.as_ref().is_some_and(|plan| plan.credentials.iter().any(|one| one == name));
        if url.query_pairs().any(|(name, _)| secret(&name)) {
            let rest: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(name, _)| !secret(name)).collect();
            url.query_pairs_mut().clear().extend_pairs(rest);
        }
        self.once(url.to_string(), "the URL of the next page")?;
        self.next_url = Some(url);
        Ok(false)
    }

    fn once(&mut self, key: String, what: &str) -> Result<()> {
        if self.keys.insert(key) {
            return Ok(());
        }
        Err(self.again(&format!("page {} gives {what} that one before it gave", self.pages)))
    }

    fn again(&self, why: &str) -> Error {
        Error::remote(format!("{}: {why}; reading on would never end", self.what)).help(format!(
            "is the number of the first page right? set `overrides: {{{}: {{first_page: …}}}}` in the connection",
            self.what
        ))
    }
}

/// A whole number, written as one or as text.
fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn is_end(value: &Json) -> bool {
    value.is_null() || value.as_str().is_some_and(str::is_empty) || *value == Json::Bool(false)
}

/// The target of `rel="next"` among `Link` headers.
fn next_link(headers: &HeaderMap) -> Option<String> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(",")).find_map(
        |link| {
            let (target, params) = link.split_once('>')?;
            let next = params.split(';').any(|param| {
                let param = param.trim().to_ascii_lowercase();
                param.strip_prefix("rel=").is_some_and(|rel| rel.trim_matches('"').split(' ').any(|rel| rel == "next"))
            });
            next.then(|| target.trim().trim_start_matches('<').to_owned())
        },
    )
}
