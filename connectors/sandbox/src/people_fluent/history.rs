//! `trainingHistoryXml` and `completedTrainingRecordsXml`: documents written while they are sent.

use std::{
    convert::Infallible,
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use futures::stream;
use serde_json::Value;

use super::{
    PeopleFluent,
    held::{RECORDS, Shelf, text},
    query::{User, Wanted},
    reply,
    selector::Selector,
    xml::{self, Style, element},
};
use crate::{
    answer,
    seed::{HISTORY_END_MS, Person, Record, Role, records_per_block},
};

/// About as much as is sent at once.
const CHUNK_BYTES: usize = 64 << 10;
/// So many blocks may be passed over before others get their turn.
const SCANNED_AT_ONCE: u64 = 2048;
const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <trainingHistory xmlns=\"http://www.netdimensions.com/xml/trainingHistory200510\" \
    xmlns:th=\"http://www.netdimensions.com/xml/trainingHistory200510\" \
    xmlns:ekp=\"http://www.netdimensions.com/xml/extensions\">\n";
const TAIL: &str = "</trainingHistory>\n";
const MODULE_TYPES: [&str; 12] = [
    "onlineModule",
    "classroom",
    "virtualClassroom",
    "workshopSeminar",
    "video",
    "book",
    "cd",
    "audioCassette",
    "externalCourse",
    "externalCertification",
    "justInTimeLearning",
    "archivedVirtualClassroom",
];

/// The type of a record's module.
pub(super) fn module_type(record: &Record) -> &'static str {
    if record.role == Role::Programme { "learningProgram" } else { type_of(record.catalogue) }
}

/// The type of a module by its number in the catalogue.
pub(super) fn type_of(catalogue: u64) -> &'static str {
    MODULE_TYPES[(catalogue % MODULE_TYPES.len() as u64) as usize]
}

pub(super) async fn all(State(system): State<Arc<PeopleFluent>>, uri: Uri) -> Response {
    document(system, &uri, false)
}

pub(super) async fn completed(State(system): State<Arc<PeopleFluent>>, uri: Uri) -> Response {
    document(system, &uri, true)
}

fn document(system: Arc<PeopleFluent>, uri: &Uri, completed_only: bool) -> Response {
    let wanted = match Wanted::of(uri, &system.seed, completed_only) {
        Ok(wanted) => wanted,
        Err(refused) => return refused.page(),
    };
    let records = system.records();
    let blocks = records.div_ceil(records_per_block());
    let people = system.seed.people.max(1) as u64;
    let (next, step, end) = match wanted.user {
        User::Any => (0, 1, blocks),
        User::One(person) => (person, people, blocks),
        User::Nobody => (0, 1, 0),
    };
    let mut changed = system.held().copy(RECORDS);
    // What was there from the start beside the history is no part of it.
    changed.retain(|_, record| record["_aside"] != true);
    let user = wanted.user_id.clone();
    let writer = Writer { system, wanted, changed, user, records, next, step, end, stage: Stage::Head };
    let body = Body::from_stream(stream::unfold(writer, Writer::chunk));
    answer::with(StatusCode::OK, "text/xml;charset=UTF-8", body)
}

struct Writer {
    system: Arc<PeopleFluent>,
    wanted: Wanted,
    /// Records that were made or changed come behind the others.
    changed: Shelf,
    /// The one user whose records are asked for.
    user: Option<String>,
    records: u64,
    next: u64,
    step: u64,
    end: u64,
    stage: Stage,
}

#[derive(PartialEq, Eq)]
enum Stage {
    Head,
    Records,
    Ended,
}

impl Writer {
    async fn chunk(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if self.stage == Stage::Ended {
            return None;
        }
        let mut out = String::with_capacity(CHUNK_BYTES + 8192);
        if self.stage == Stage::Head {
            out.push_str(HEAD);
            let created = HISTORY_END_MS + (self.records - self.system.seed.records as u64 + 1) as i64 * 60_000;
            element(&mut out, &Selector::Everything, "dateCreated", &xml::timestamp(created, 0));
            out.push('\n');
            self.stage = Stage::Records;
        }
        let mut scanned = 0;
        while out.len() < CHUNK_BYTES && self.next < self.end {
            self.block(&mut out, self.next);
            self.next += self.step;
            scanned += 1;
            if scanned % SCANNED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        if self.next >= self.end && out.len() < CHUNK_BYTES {
            self.made_or_changed(&mut out);
            out.push_str(TAIL);
            self.stage = Stage::Ended;
        }
        self.system.bytes_sent.fetch_add(out.len() as u64, Ordering::Relaxed);
        Some((Ok(Bytes::from(out)), self))
    }

    fn block(&self, out: &mut String, block: u64) {
        let first = block * records_per_block();
        let last = (first + records_per_block()).min(self.records);
        let seed = &self.system.seed;
        let person = Person::of(seed, block % seed.people.max(1) as u64);
        if !self.wanted.wants_person(&person) {
            return;
        }
        let same = |record: &Record| self.changed.is_empty() || !self.changed.contains_key(&record.id());
        let of_block = (first..last).map(|index| Record::of(seed, index));
        let mut wanted = of_block.filter(|record| self.wanted.wants(record) && same(record)).peekable();
        while let Some(record) = wanted.next() {
            let prefix = self.open(out, &record, &person);
            if record.role == Role::Programme && self.wanted.fields.child("trainingRecord").is_some() {
                while let Some(nested) = wanted.next_if(|next| next.role == Role::Nested) {
                    let prefix = self.open(out, &nested, &person);
                    close(out, prefix);
                }
            } else if record.role == Role::Programme {
                while wanted.next_if(|next| next.role == Role::Nested).is_some() {}
            }
            close(out, prefix);
        }
    }

    fn made_or_changed(&self, out: &mut String) {
        let user = self.user.as_deref();
        let wanted = self.changed.values().filter(|record| user.is_none_or(|user| text(record, "userId") == user));
        for record in wanted.filter(|record| self.wanted.wants_thing(record, &self.system)) {
            let _ = write!(out, "<trainingRecord id=\"{}\">", text(record, "@id"));
            for (name, value) in record.as_object().into_iter().flatten() {
                let plain = !name.starts_with(['@', '_']) && self.wanted.fields.child(name).is_some();
                if plain && name == "learningModule" {
                    self.module_of(out, value);
                } else if plain {
                    reply::write(out, name, value);
                }
            }
            out.push_str("</trainingRecord>\n");
        }
    }

    fn module_of(&self, out: &mut String, module: &Value) {
        let fields = self.wanted.fields.child("learningModule").unwrap_or(&Selector::Everything);
        out.push_str("<learningModule>");
        for name in ["id", "title", "type"] {
            element(out, fields, name, text(module, name));
        }
        out.push_str("</learningModule>");
    }

    /// Writes a record but for its end tag, whose prefix it returns.
    fn open(&self, out: &mut String, record: &Record, person: &Person) -> &'static str {
        let fields = &self.wanted.fields;
        let prefix = if record.index % 11 == 10 { "th:" } else { "" };
        // Writing to a String cannot fail, here and below.
        let _ = write!(out, "<{prefix}trainingRecord id=\"TR{:09}\">", record.index);
        match record.roll >> 5 & 31 {
            7 => element(out, fields, "userId", &format!(" {} ", person.user_id)),
            19 => element(out, fields, "userId", &format!("{}\t", person.user_id)),
            _ => element(out, fields, "userId", &person.user_id),
        }
        self.module(out, record);
        self.dates(out, record);
        let status = if record.index % 5 == 3 { "th:overallStatus" } else { "overallStatus" };
        element(out, fields, status, record.status);
        if !record.roll.is_multiple_of(3) && record.is_completed() {
            let score = 500 + record.roll / 3 % 501;
            element(out, fields, "score", &format!("{}.{}", score / 10, score % 10));
        }
        date(out, fields, "lastAttemptDate", record.started.filter(|_| !record.roll.is_multiple_of(4)), record);
        element(out, fields, "attemptCount", if record.roll.is_multiple_of(2) { "1" } else { "3" });
        element(out, fields, "isSelfEnrolled", if record.roll.is_multiple_of(7) { "true" } else { "false" });
        self.links(out, fields, "record", &record.id());
        if record.roll.is_multiple_of(6) {
            element(out, fields, "revision", "2");
        }
        element(out, fields, "downloadable", "false");
        if record.role == Role::Programme {
            element(out, fields, "requiredElectiveCredits", "1.50");
        }
        if *fields == Selector::Everything && record.index % 9 == 1 {
            out.push_str(
                "<ekp:assignment code=\"main\"><ekp:title>Not a module &amp; no record</ekp:title></ekp:assignment>",
            );
            out.push_str("<!-- elements of later releases --><certificateIssued/>");
        }
        prefix
    }

    fn module(&self, out: &mut String, record: &Record) {
        let Some(fields) = self.wanted.fields.child("learningModule") else {
            return;
        };
        out.push_str("<learningModule>");
        let id = record.module_id();
        element(out, fields, "id", &id);
        if fields.child("title").is_some() {
            let title = record.title(&self.system.seed);
            out.push_str("<title>");
            let spaced = match record.roll >> 10 & 15 {
                3 => format!("  {title} "),
                9 => format!("\n        {title}\n      "),
                _ => title,
            };
            xml::styled(out, &spaced, Style::of(record.roll >> 3));
            out.push_str("</title>");
        }
        element(out, fields, "type", module_type(record));
        self.links(out, fields, "module", &id);
        out.push_str("</learningModule>");
    }

    fn dates(&self, out: &mut String, record: &Record) {
        let fields = &self.wanted.fields;
        date(out, fields, "enrollmentDate", record.enrolled, record);
        date(out, fields, "startDate", record.started, record);
        date(out, fields, "endDate", record.ended, record);
    }

    fn links(&self, out: &mut String, fields: &Selector, function: &str, id: &str) {
        if fields.child("link").is_none() {
            return;
        }
        let base = &self.system.base_url;
        let _ = write!(
            out,
            "<link rel=\"self\" type=\"application/xml\" href=\"{base}/api/{function}?id={id}\"/>\
             <link rel=\"alternate\" type=\"text/html\" href=\"{base}/servlet/ekp?CID={id}&amp;TX=FORMAT1\"/>"
        );
    }
}

fn close(out: &mut String, prefix: &str) {
    out.push_str("</");
    out.push_str(prefix);
    out.push_str("trainingRecord>\n");
}

fn date(out: &mut String, fields: &Selector, name: &str, ms: Option<i64>, record: &Record) {
    let Some(ms) = ms.filter(|_| fields.child(name).is_some()) else {
        return;
    };
    let _ = write!(out, "<{name}>");
    xml::write_timestamp(out, ms, record.offset_minutes);
    let _ = write!(out, "</{name}>");
}
