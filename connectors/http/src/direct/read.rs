//! The parser's side: where values go as they come.
//!
//! Any error here means no more than that the page is to be read the general way.

use super::fill::{Filling, Slot};
use super::{Direct, DirectPage, Member};
use crate::pager::Fingerprint;
use crate::plan::ColumnPlan;
use polars::prelude::{Column, DataFrame};
use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::fmt;

/// What members nobody asked for are.
static UNASKED: Member = Member { slot: None, members: Vec::new() };

/// Reads a page.
pub(super) fn page(direct: &Direct, columns: &[ColumnPlan], body: &[u8]) -> Option<DirectPage> {
    let mut rows = Rows {
        direct,
        columns: columns.iter().map(Filling::new).collect(),
        slots: std::iter::repeat_with(Slot::default).take(direct.slots).collect(),
        content: Fingerprint::default(),
        height: 0,
        began: false,
    };
    let mut parser = serde_json::Deserializer::from_slice(body);
    let answer = Answer { rows: &mut rows, path: &direct.path }.deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    let Rows { columns, content, height, began, .. } = rows;
    // Where there is no list, there may be a reason in its place.
    if !began {
        return None;
    }
    let columns: Vec<Column> = columns.into_iter().map(|column| column.finish().ok()?).collect::<Option<_>>()?;
    Some(DirectPage { answer, frame: DataFrame::new(height, columns).ok()?, content: content.finish() })
}

/// Records read so far.
struct Rows<'a, 'de> {
    direct: &'a Direct,
    columns: Vec<Filling<'a>>,
    slots: Vec<Slot<'de>>,
    content: Fingerprint,
    height: usize,
    began: bool,
}

impl Rows<'_, '_> {
    /// The slots hold a record.
    fn record(&mut self) -> Result<(), &'static str> {
        for (column, slot) in self.columns.iter_mut().zip(&self.direct.columns) {
            column.push(&self.slots[*slot]).map_err(|_| "a value does not fit its column")?;
        }
        self.height += 1;
        self.slots.fill_with(Slot::default);
        Ok(())
    }
}

/// The answer, or a part of it on the way to the records.
struct Answer<'r, 'a, 'de> {
    rows: &'r mut Rows<'a, 'de>,
    path: &'r [String],
}

impl<'de> DeserializeSeed<'de> for Answer<'_, '_, 'de> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        if self.path.is_empty() { deserializer.deserialize_seq(self) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Answer<'_, '_, 'de> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let Some((wanted, rest)) = self.path.split_first() else { return Err(A::Error::custom("no list")) };
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = if name == *wanted {
                if members.contains_key(&name) {
                    return Err(A::Error::custom("a member stands twice"));
                }
                map.next_value_seed(Answer { rows: &mut *self.rows, path: rest })?
            } else {
                map.next_value()?
            };
            members.insert(name, value);
        }
        Ok(Json::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        if !self.path.is_empty() || std::mem::replace(&mut self.rows.began, true) {
            return Err(A::Error::custom("not the list"));
        }
        while list.next_element_seed(Record(&mut *self.rows))?.is_some() {
            self.rows.record().map_err(A::Error::custom)?;
        }
        Ok(Json::Array(Vec::new()))
    }
}

/// A record.
struct Record<'r, 'a, 'de>(&'r mut Rows<'a, 'de>);

impl<'de> DeserializeSeed<'de> for Record<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Record<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Rows { direct, slots, content, .. } = self.0;
        members(&direct.root, slots, content, map)
    }
}

/// The members of a record, or of an object in it.
fn members<'de, A: MapAccess<'de>>(
    member: &Member,
    slots: &mut [Slot<'de>],
    content: &mut Fingerprint,
    mut map: A,
) -> Result<(), A::Error> {
    content.open();
    let mut next = 0;
    while let Some(inner) = map.next_key_seed(Name { member, next: &mut next, content })? {
        map.next_value_seed(Place { member: inner, slots, content })?;
    }
    content.close();
    Ok(())
}

/// A member's name.
struct Name<'m, 'n> {
    member: &'m Member,
    next: &'n mut usize,
    content: &'n mut Fingerprint,
}

impl<'m, 'de> DeserializeSeed<'de> for Name<'m, '_> {
    type Value = &'m Member;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'m Member, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'m> Visitor<'_> for Name<'m, '_> {
    type Value = &'m Member;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<&'m Member, E> {
        self.content.text(name);
        Ok(self.member.find(name, self.next).unwrap_or(&UNASKED))
    }
}

/// Where a member's value goes.
struct Place<'p, 'de> {
    member: &'p Member,
    slots: &'p mut [Slot<'de>],
    content: &'p mut Fingerprint,
}

impl<'de> Place<'_, 'de> {
    /// A name may stand twice: the last value counts, and nothing that was inside of the first.
    fn put(self, slot: Slot<'de>) {
        match self.member.slot {
            Some(at) => self.slots[at] = slot,
            None => self.member.clear(self.slots),
        }
    }
}

impl Member {
    fn clear(&self, slots: &mut [Slot<'_>]) {
        if let Some(at) = self.slot {
            slots[at] = Slot::Absent;
        }
        self.members.iter().for_each(|(_, inner)| inner.clear(slots));
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.content.null();
        self.put(Slot::Null);
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.content.truth(truth);
        self.put(Slot::Bool(truth));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.content.int(number);
        self.put(Slot::Int(number));
        Ok(())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        match i64::try_from(number) {
            Ok(number) => self.visit_i64(number),
            Err(_) => {
                self.content.large(number);
                self.put(Slot::Large(number));
                Ok(())
            }
        }
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.content.float(number);
        self.put(Slot::Float(number));
        Ok(())
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.content.text(text);
        self.put(Slot::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.content.text(text);
        // Only what is wanted is worth a copy.
        let kept = if self.member.slot.is_some() { text.to_owned() } else { String::new() };
        self.put(Slot::Text(Cow::Owned(kept)));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        if self.member.slot.is_some() {
            let value = Json::deserialize(SeqAccessDeserializer::new(list))?;
            self.content.value(&value);
            self.put(Slot::Json(value));
            return Ok(());
        }
        self.member.clear(self.slots);
        self.content.open();
        while list
            .next_element_seed(Place { member: &UNASKED, slots: &mut *self.slots, content: &mut *self.content })?
            .is_some()
        {}
        self.content.close();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if self.member.slot.is_some() {
            let value = Json::deserialize(MapAccessDeserializer::new(map))?;
            self.content.value(&value);
            self.put(Slot::Json(value));
            return Ok(());
        }
        self.member.clear(self.slots);
        members(self.member, self.slots, self.content, map)
    }
}
