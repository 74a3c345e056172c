//! The invented world both stand-ins share.
//!
//! Everything seeded is a pure function of a [`Seed`] and an index, never a table: a history of five million
//! records starts as quickly as one of a hundred and needs no memory, and two stand-ins started with equal
//! seeds fit together without talking to each other.

mod people;
mod records;
mod titles;

use serde_json::Value;

pub(crate) use people::{Person, is_known_organisation, organisations};
pub(crate) use records::{HISTORY_END_MS, Record, Role, records_per_block};

/// How much is invented, and of what kind.
///
/// Shares lie between 0.0 and 1.0. With at least 12 records and 2 people the history always holds two persons
/// who completed the same title, and one person who completed the same title on two dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Seed {
    /// Persons with an account in PeopleFluent.
    pub people: usize,
    /// Training records PeopleFluent holds, programmes, their nested modules and older attempts included.
    pub records: usize,
    /// Another number makes another world of the same size.
    pub seed: u64,
    /// Share of the records whose overall status is `completed`.
    pub completed: f64,
    /// Share of the people who have no account in Human Focus.
    pub unknown_people: f64,
    /// Share of the people whose Human Focus account is archived.
    pub archived_people: f64,
    /// Share of the groups of four records that are a programme with nested modules.
    pub programmes: f64,
    /// Most distinct titles the history uses.
    pub titles: usize,
    /// Trainings of Human Focus's own in its catalogue (`GetAllTrainingsByOrganID`).
    pub trainings: usize,
    /// External trainings Human Focus already holds (`GetUploadedTrainings`), beside a few whose titles are
    /// those of the history under another provider.
    pub uploaded_trainings: usize,
}

impl Default for Seed {
    fn default() -> Self {
        Self {
            people: 24,
            records: 120,
            seed: 1,
            completed: 0.6,
            unknown_people: 0.1,
            archived_people: 0.0,
            programmes: 0.15,
            titles: 400,
            trainings: 250,
            uploaded_trainings: 40,
        }
    }
}

/// A completed and dated training record: what a faithful transfer has to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// `trainingRecord/@id`.
    pub record_id: String,
    /// The user id as PeopleFluent stores it: lower case, no surrounding space.
    pub user_id: String,
    /// The title of the module, without the white space the XML may put around it.
    pub title: String,
    /// The end date, milliseconds since 1970 in UTC.
    pub completed_at_ms: i64,
    /// Whether the person has a Human Focus account that is not archived.
    pub known: bool,
    /// Whether it is an older attempt, which PeopleFluent only returns for `includeOlder=true`.
    pub older: bool,
}

impl Seed {
    /// Every completed and dated record of the history, nested ones included, in the order of the history.
    pub fn completions(&self) -> impl Iterator<Item = Completion> + '_ {
        (0..self.records as u64).filter_map(|index| self.completion(index))
    }

    fn completion(&self, index: u64) -> Option<Completion> {
        let record = Record::of(self, index);
        let completed_at_ms = record.ended.filter(|_| record.is_completed())?;
        let person = Person::of(self, record.person);
        Some(Completion {
            record_id: record.id(),
            title: record.title(self),
            known: person.in_human_focus && !person.archived,
            user_id: person.user_id,
            completed_at_ms,
            older: record.role == Role::Older,
        })
    }

    /// Every number by its name. Shares are texts, as a JSON number read back may differ in its last digit.
    pub(crate) fn facts(&self) -> [(&'static str, Value); 10] {
        let Self {
            people,
            records,
            seed,
            completed,
            unknown_people,
            archived_people,
            programmes,
            titles,
            trainings,
            uploaded_trainings,
        } = self;
        let share = |share: &f64| Value::from(share.to_string());
        [
            ("people", (*people).into()),
            ("records", (*records).into()),
            ("seed", (*seed).into()),
            ("completed", share(completed)),
            ("unknown_people", share(unknown_people)),
            ("archived_people", share(archived_people)),
            ("programmes", share(programmes)),
            ("titles", (*titles).into()),
            ("trainings", (*trainings).into()),
            ("uploaded_trainings", (*uploaded_trainings).into()),
        ]
    }

    /// A title of the history by its catalogue number.
    pub(crate) fn title(&self, catalogue: u64) -> String {
        titles::title(catalogue % (self.titles.max(1) as u64))
    }

    /// A number that depends on nothing but the seed, what is asked (`tag`) and the index.
    pub(crate) fn roll(&self, tag: u64, index: u64) -> u64 {
        let mut x = self.seed ^ tag.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ index.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
}

/// Whether item `index` belongs to a share, spread evenly: of any run of n items n × share do.
pub(crate) fn in_share(share: f64, index: u64) -> bool {
    ((index + 1) as f64 * share).floor() > (index as f64 * share).floor()
}

/// A roll as a fraction of one.
pub(crate) fn fraction(roll: u64) -> f64 {
    (roll >> 11) as f64 / (1u64 << 53) as f64
}
