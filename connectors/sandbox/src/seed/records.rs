//! Training records, each a pure function of the seed and its index.
//!
//! Records come in blocks of four that belong to one person, so that a programme and the modules nested in it,
//! or an older attempt and the latest one, stand next to each other and can be written in one pass.

use super::{Seed, fraction};

const BLOCK: u64 = 4;
/// 2021-01-01T00:00:00Z, when the history begins.
const HISTORY_START_MS: i64 = 1_609_459_200_000;
/// 2026-01-01T00:00:00Z: no seeded record was updated later; records added while running all were.
pub(crate) const HISTORY_END_MS: i64 = 1_767_225_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;
/// Midnight has passed in UTC and a new month begun, but not yet at the record's own offset.
const MONTH_EDGE_MS: i64 = 1_614_573_000_000;
const OTHER_STATUSES: [&str; 11] = [
    "enrolled",
    "incomplete",
    "withdrawn",
    "cancelled",
    "administrativeEntry",
    "finishedUsing",
    "pendingApproval",
    "resource",
    "shared",
    "unknown",
    "waitlisted",
];
const COMPLETED: &str = "completed";

/// How many records a block holds.
pub(crate) fn records_per_block() -> u64 {
    BLOCK
}

/// What a record is within its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    /// An attempt at the same module that a later record of the same block replaces.
    Older,
    /// The same title as its neighbour, as another edition of the module and on another date.
    Retake,
    Programme,
    /// Nested in the programme that opens its block.
    Nested,
}

/// One training record; times are milliseconds since 1970 in UTC.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub index: u64,
    pub person: u64,
    pub role: Role,
    pub catalogue: u64,
    pub status: &'static str,
    pub enrolled: Option<i64>,
    pub started: Option<i64>,
    pub ended: Option<i64>,
    pub updated: i64,
    /// The offset its dates are written with, in minutes.
    pub offset_minutes: i64,
    pub roll: u64,
}

impl Record {
    pub(crate) fn of(seed: &Seed, index: u64) -> Self {
        let people = seed.people.max(1) as u64;
        let (block, slot) = (index / BLOCK, index % BLOCK);
        let (round, person) = (block / people, block % people);
        let rounds = (seed.records as u64).div_ceil(BLOCK).div_ceil(people).max(1);
        let role = role(seed, block, slot);
        let roll = seed.roll(3, index);

        let same_as_first = slot == 1 && matches!(kind(seed, block), Kind::Older | Kind::Retake);
        let place = round * BLOCK + if same_as_first { 0 } else { slot };
        // Room beyond the seeded rounds keeps (person, module) unique for records added later.
        let catalogue = (place + person * 3) % (rounds * BLOCK + 64);

        let spacing = (HISTORY_END_MS - HISTORY_START_MS) / (rounds * BLOCK) as i64;
        let within = (fraction(seed.roll(4, index)) * spacing as f64 * 0.8) as i64;
        let (end, offset_minutes) = match index {
            3 => (MONTH_EDGE_MS, -300),
            _ => (
                HISTORY_START_MS + (round * BLOCK + slot) as i64 * spacing + within,
                [0, -300, 60, 330][(roll % 4) as usize],
            ),
        };
        let start = end - (roll >> 8) as i64 % (3 * DAY_MS);
        let enrolment = start - (roll >> 20) as i64 % (30 * DAY_MS);
        // The first blocks hold one of each kind, and all of it completed.
        let always = index < 10;
        let completed = always || fraction(seed.roll(5, index)) < seed.completed;
        let status = if completed { COMPLETED } else { OTHER_STATUSES[(index % 11) as usize] };
        let undated = !always && roll % 50 == 7;
        let has_end = (completed && !undated) || status == "withdrawn" || status == "finishedUsing";
        Self {
            index,
            person,
            role,
            catalogue,
            status,
            enrolled: (roll % 13 != 5).then_some(enrolment),
            started: (roll % 9 != 4 && status != "waitlisted").then_some(start),
            ended: has_end.then_some(end),
            updated: match index.checked_sub(seed.records as u64) {
                Some(added) => HISTORY_END_MS + (added as i64 + 1) * MINUTE_MS,
                None => (end + (1 + (roll >> 40) as i64 % 120) * MINUTE_MS).min(HISTORY_END_MS),
            },
            offset_minutes,
            roll,
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("TR{:09}", self.index)
    }

    pub(crate) fn title(&self, seed: &Seed) -> String {
        seed.title(self.catalogue)
    }

    pub(crate) fn module_id(&self) -> String {
        match self.role {
            Role::Programme => format!("prog-{}", self.catalogue),
            Role::Retake => format!("mod-{}-b", self.catalogue),
            _ => format!("mod-{}", self.catalogue),
        }
    }

    pub(crate) fn is_completed(&self) -> bool {
        self.status == COMPLETED
    }
}

enum Kind {
    Plain,
    Older,
    Retake,
    Programme,
}

fn kind(seed: &Seed, block: u64) -> Kind {
    match block {
        0 => Kind::Retake,
        1 if seed.programmes > 0.0 => Kind::Programme,
        2 => Kind::Older,
        _ => match fraction(seed.roll(2, block)) {
            f if f < seed.programmes => Kind::Programme,
            f if f > 0.92 => Kind::Older,
            f if f > 0.86 => Kind::Retake,
            _ => Kind::Plain,
        },
    }
}

fn role(seed: &Seed, block: u64, slot: u64) -> Role {
    match (kind(seed, block), slot) {
        (Kind::Older, 0) => Role::Older,
        (Kind::Retake, 1) => Role::Retake,
        (Kind::Programme, 0) => Role::Programme,
        (Kind::Programme, 1 | 2) => Role::Nested,
        _ => Role::Plain,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn a_default_history_holds_what_transfers_trip_over() {
        let seed = Seed::default();
        let completions: Vec<_> = seed.completions().filter(|c| c.known && !c.older).collect();
        let mut persons_of: HashMap<&str, HashSet<&str>> = HashMap::new();
        let mut dates_of: HashMap<(&str, &str), HashSet<i64>> = HashMap::new();
        for c in &completions {
            persons_of.entry(&c.title).or_default().insert(&c.user_id);
            dates_of.entry((&c.user_id, &c.title)).or_default().insert(c.completed_at_ms);
        }
        assert!(persons_of.values().any(|persons| persons.len() > 1), "two persons share a title");
        assert!(dates_of.values().any(|dates| dates.len() > 1), "one person, one title, two dates");
        assert!(completions.iter().any(|c| c.title.chars().any(|c| c > '\u{ffff}')), "an astral character");
        assert!(seed.completions().any(|c| c.older) && seed.completions().any(|c| !c.known));
        let statuses: HashSet<_> = (0..120).map(|i| Record::of(&seed, i).status).collect();
        assert_eq!(statuses.len(), 12, "{statuses:?}");
    }

    #[test]
    fn person_module_and_person_title_second_are_unique() {
        for (people, records) in [(24, 120), (7, 20_000), (1000, 20_000), (1, 5)] {
            let seed = Seed { people, records, ..Seed::default() };
            let mut modules = HashSet::new();
            let mut moments = HashSet::new();
            for index in 0..records as u64 {
                let record = Record::of(&seed, index);
                if record.role != Role::Older {
                    assert!(modules.insert((record.person, record.module_id())), "{record:?}");
                }
                if let Some(end) = record.ended {
                    assert!(moments.insert((record.person, record.title(&seed), end / 1000)), "{record:?}");
                }
                assert!(record.updated <= HISTORY_END_MS);
            }
        }
    }
}
