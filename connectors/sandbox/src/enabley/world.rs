//! What the seed invents: the people all stand-ins share, in Enabley's sub-accounts, groups, channels and profiles.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use super::{
    certificates,
    channels::{Channel, Master},
    groups::Group,
    profiles::Profile,
    shelf::Shelf,
    users::{Enrolment, User},
};
use crate::seed::{Person, Seed};

/// 2024-01-01T00:00:00Z: nothing is older.
pub(super) const BEGIN: DateTime<Utc> = DateTime::from_timestamp(1_704_067_200, 0).expect("within range");
pub(super) const SUB_ACCOUNTS: [&str; 2] = ["Acme North", "Acme South"];
/// The levels of groups, from the top.
pub(super) const HIERARCHY: [&str; 3] = ["Company", "Region", "Site"];
/// How many channels there are; those of odd numbers are courses.
const CHANNELS: u64 = 16;
const MASTERS: u64 = 12;

pub(super) fn is_sub_account(name: &str) -> bool {
    SUB_ACCOUNTS.contains(&name)
}

pub(super) fn channel_id(number: u64) -> String {
    // One that has to be encoded in a path.
    if number == 3 { "course/3 ü".to_owned() } else { format!("channel-{number:02}") }
}

/// Where a person is: the group, and the sub-account if the organisation has one.
fn place(organisation: &str) -> (&'static str, Option<&'static str>) {
    match organisation {
        "acme-north" => ("north", Some(SUB_ACCOUNTS[0])),
        "acme-north-plant1" => ("plant-1", Some(SUB_ACCOUNTS[0])),
        "acme-north-plant2" => ("plant-2", Some(SUB_ACCOUNTS[0])),
        "acme-south" => ("south", Some(SUB_ACCOUNTS[1])),
        _ => ("acme", None),
    }
}

/// Two members of staff whom somebody made by hand, so without an identifier, and then every person of the seed.
pub(super) fn users(seed: &Seed) -> Shelf<User> {
    let staff = ["site.admin", "trainer.local"].map(|username| {
        let mut user = User::new(None, username, BEGIN);
        user.possible_roles = vec!["SITE_ADMIN".to_owned(), "INSTRUCTOR".to_owned()];
        user.channels.insert(channel_id(1), Enrolment { learner: true, progress: 40, ..Enrolment::default() });
        user
    });
    staff.into_iter().chain((0..seed.people as u64).map(|number| user(seed, &Person::of(seed, number)))).collect()
}

fn user(seed: &Seed, person: &Person) -> User {
    let number = person.number;
    let (group, sub_account) = place(person.organisation);
    let mut attributes = Map::new();
    attributes.insert("organisation".to_owned(), Value::from(person.organisation));
    let mut user = User::new(Some(&person.user_id), &person.user_id, BEGIN + TimeDelta::minutes(number as i64));
    user.first_name = Some(person.given.to_owned());
    user.last_name = Some(person.family.to_owned());
    user.email = Some(person.email.clone());
    user.active = person.status == "active";
    user.custom_attributes = attributes;
    user.sub_accounts = sub_account.into_iter().map(str::to_owned).collect();
    user.groups = vec![group.to_owned()];
    user.profiles = if number.is_multiple_of(4) { vec!["new-starters".to_owned()] } else { Vec::new() };
    user.certificates = certificates::of_person(seed, number);
    if number % 10 == 6 {
        user.possible_roles.push("INSTRUCTOR".to_owned());
    }
    user.channels = (0..1 + number % 3).map(|turn| enrolment(seed, number, turn)).collect();
    user
}

fn enrolment(seed: &Seed, number: u64, turn: u64) -> (String, Enrolment) {
    let roll = seed.roll(23, number * 3 + turn);
    let progress = if roll.is_multiple_of(2) { 100 } else { roll % 100 };
    let completed = (progress == 100).then(|| BEGIN + TimeDelta::minutes((roll % 900_000) as i64));
    let enrolment = Enrolment {
        learner: true,
        instructor: false,
        via: None,
        progress,
        score: completed.map(|_| 60 + roll % 41),
        completed,
    };
    (channel_id((number + turn * 5) % CHANNELS + 1), enrolment)
}

pub(super) fn groups() -> Shelf<Group> {
    let group = |(identifier, name, parent, level): (&str, &str, Option<&str>, usize)| Group {
        identifier: identifier.to_owned(),
        name: name.to_owned(),
        parent: parent.map(str::to_owned),
        sub_account: match identifier {
            "acme" => None,
            "south" => Some(SUB_ACCOUNTS[1].to_owned()),
            _ => Some(SUB_ACCOUNTS[0].to_owned()),
        },
        level: Some(HIERARCHY[level].to_owned()),
        created: BEGIN,
        modified: BEGIN,
    };
    [
        ("acme", "Acme", None, 0),
        ("north", "Acme North", Some("acme"), 1),
        ("south", "Acme South", Some("acme"), 1),
        ("plant-1", "Plant 1", Some("north"), 2),
        ("plant-2", "Plant 2", Some("north"), 2),
    ]
    .map(group)
    .into_iter()
    .collect()
}

pub(super) fn channels(seed: &Seed) -> Shelf<Channel> {
    let channel = |number: u64| {
        let kind = if number % 2 == 1 { "COURSE" } else { "STREAM" };
        let created = BEGIN + TimeDelta::days(number as i64 * 20);
        let scheduled = number % 5 == 4;
        Channel {
            availability: if scheduled { "SCHEDULED" } else { "ACTIVE" }.to_owned(),
            schedule: scheduled.then(|| ("2026-01-15".to_owned(), "2026-06-30".to_owned())),
            sub_account: (number % 4 == 1).then(|| SUB_ACCOUNTS[0].to_owned()),
            categories: vec!["Safety".to_owned(), format!("Level {}", number % 3 + 1)],
            duration: number * 15,
            master: (number % 7 == 3).then(|| "master-01".to_owned()),
            ..Channel::new(&channel_id(number), &seed.title(number - 1), kind, created)
        }
    };
    (1..=CHANNELS).map(channel).collect()
}

pub(super) fn masters(seed: &Seed) -> Shelf<Master> {
    let master = |number: u64| Master {
        identifier: format!("master-{number:02}"),
        name: format!("{} (master)", seed.title(number - 1)),
        published: !number.is_multiple_of(3),
        sub_account: number.is_multiple_of(4).then(|| SUB_ACCOUNTS[1].to_owned()),
        categories: vec!["Safety".to_owned()],
        created: BEGIN + TimeDelta::days(number as i64),
    };
    (1..=MASTERS).map(master).collect()
}

pub(super) fn profiles() -> Shelf<Profile> {
    let profile = |(identifier, name): (&str, &str)| Profile {
        identifier: identifier.to_owned(),
        name: name.to_owned(),
        created: BEGIN,
        modified: BEGIN,
    };
    [("new-starters", "New starters"), ("drivers", "Drivers"), ("office", "Office")].map(profile).into_iter().collect()
}
