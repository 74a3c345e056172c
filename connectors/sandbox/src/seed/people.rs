//! Persons: who they are to PeopleFluent and who, if anybody, they are to Human Focus.

use super::{Seed, in_share};

const GIVEN: [(&str, &str); 12] = [
    ("Amara", "amara"),
    ("Zoë", "zoë"),
    ("Björn", "bjorn"),
    ("Chloé", "chloe"),
    ("Dai", "dai"),
    ("Eilidh", "eilidh"),
    ("Farid", "farid"),
    ("Grzegorz", "grzegorz"),
    ("Hana", "hana"),
    ("Iain", "iain"),
    ("José", "jose"),
    ("Kenji", "kenji"),
];
const FAMILY: [(&str, &str); 10] = [
    ("Okafor", "okafor"),
    ("Müller", "müller"),
    ("O'Brien", "o'brien"),
    ("Nowak", "nowak"),
    ("Smith", "smith"),
    ("García", "garcia"),
    ("𠮷田", "yoshida"),
    ("Evans", "evans"),
    ("Singh", "singh"),
    ("D’Angelo", "dangelo"),
];

/// The organisation that contains all others, as PeopleFluent names it.
const ROOT_ORGANISATION: &str = "*ROOT*";
const ORGANISATIONS: [(&str, &str); 5] = [
    ("acme", ROOT_ORGANISATION),
    ("acme-north", "acme"),
    ("acme-south", "acme"),
    ("acme-north-plant1", "acme-north"),
    ("acme-north-plant2", "acme-north"),
];

/// Whether PeopleFluent has an organisation of that id.
pub(crate) fn is_known_organisation(id: &str) -> bool {
    id == ROOT_ORGANISATION || ORGANISATIONS.iter().any(|(known, _)| *known == id)
}

/// Every organisation PeopleFluent has, with the one it belongs to; the one that contains all others is in none.
pub(crate) fn organisations() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    std::iter::once((ROOT_ORGANISATION, None)).chain(ORGANISATIONS.iter().map(|(id, parent)| (*id, Some(*parent))))
}

/// One invented person.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub number: u64,
    /// PeopleFluent's user id: lower case.
    pub user_id: String,
    /// Human Focus's PersonIdentifier: the same person, at times with other capital letters.
    pub identifier: String,
    pub given: &'static str,
    pub family: &'static str,
    pub email: String,
    pub organisation: &'static str,
    /// PeopleFluent's account status: `active`, `suspend` or `close`.
    pub status: &'static str,
    pub in_human_focus: bool,
    pub archived: bool,
}

impl Person {
    pub(crate) fn of(seed: &Seed, number: u64) -> Self {
        let roll = seed.roll(1, number);
        let (given, given_id) = GIVEN[(roll % GIVEN.len() as u64) as usize];
        let (family, family_id) = FAMILY[((roll >> 16) % FAMILY.len() as u64) as usize];
        let user_id = match number % 12 {
            5 => format!("{given_id}.{family_id}{number}@acme.example"),
            9 => format!("{given_id}.{family_id}+{number}"),
            11 => format!("{given_id} {family_id} {number}"),
            _ => format!("{given_id}.{family_id}{number}"),
        };
        let known = !in_share(seed.unknown_people, number);
        Self {
            number,
            identifier: other_capitals(&user_id, number),
            email: format!("person{number}@acme.example"),
            user_id,
            given,
            family,
            organisation: ORGANISATIONS[(number % ORGANISATIONS.len() as u64) as usize].0,
            status: match number % 31 {
                17 => "suspend",
                29 => "close",
                _ => "active",
            },
            in_human_focus: known,
            archived: known && in_share(seed.archived_people, number),
        }
    }

    /// The person of that user id in any capital letters. The number inside the id leads back to the person,
    /// so no index has to be built.
    pub(crate) fn named(seed: &Seed, name: &str) -> Option<Self> {
        let digits_end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
        let digits = &name[..digits_end];
        let digits = &digits[digits.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| at + last_len(digits, at))..];
        let number: u64 = digits.parse().ok().filter(|number| *number < seed.people as u64)?;
        let person = Self::of(seed, number);
        (person.user_id == name.to_lowercase()).then_some(person)
    }

    /// Whether the person belongs to an organisation or to one below it.
    pub(crate) fn is_within(&self, organisation: &str) -> bool {
        let mut at = self.organisation;
        loop {
            if at == organisation {
                return true;
            }
            match ORGANISATIONS.iter().find(|(id, _)| *id == at) {
                Some((_, parent)) => at = parent,
                None => return false,
            }
        }
    }
}

fn last_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

fn other_capitals(user_id: &str, number: u64) -> String {
    match number % 9 {
        1 | 4 => {
            let mut start = true;
            user_id
                .chars()
                .map(|c| {
                    let capital = start && c.is_alphabetic();
                    start = !c.is_alphabetic();
                    if capital { c.to_uppercase().next().unwrap_or(c) } else { c }
                })
                .collect()
        }
        7 => user_id.to_uppercase(),
        _ => user_id.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_person_is_found_by_either_name() {
        let seed = Seed { people: 500, ..Seed::default() };
        for number in 0..500 {
            let person = Person::of(&seed, number);
            assert_eq!(person.user_id, person.user_id.to_lowercase());
            for name in [&person.user_id, &person.identifier] {
                assert_eq!(Person::named(&seed, name).expect("found").number, number, "{name}");
            }
        }
        assert!(Person::named(&seed, "nobody").is_none());
        assert!(Person::named(&seed, "nobody7").is_none());
        assert!(Person::named(&seed, "99999999999999999999999").is_none());
    }

    #[test]
    fn the_share_unknown_to_human_focus_is_the_share_stated() {
        let seed = Seed { people: 200, unknown_people: 0.1, ..Seed::default() };
        let unknown = (0..200).filter(|number| !Person::of(&seed, *number).in_human_focus).count();
        assert_eq!(unknown, 20);
    }

    #[test]
    fn organisations_contain_those_below_them() {
        let person = Person::of(&Seed::default(), 3);
        assert_eq!(person.organisation, "acme-north-plant1");
        for above in ["acme-north-plant1", "acme-north", "acme", ROOT_ORGANISATION] {
            assert!(person.is_within(above), "{above}");
        }
        assert!(!person.is_within("acme-south"));
    }
}
