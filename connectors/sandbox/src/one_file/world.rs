//! What this OneFile holds at first: an organisation with its assessors, some of the people everybody knows as learners, and
//! what they learn.

use serde_json::{Value, json};

use crate::{
    healthier_business::candidate_ref,
    seed::{Person, Seed},
    tables::Tables,
};

/// When everything here happens.
pub(super) const NOW: &str = "2026-01-05T09:00:00.000Z";
pub(super) const ORGANISATION: u64 = 1001;

pub(super) fn of(seed: &Seed) -> Tables {
    let mut tables = Tables::default();
    tables.add("Customer", json!({"ID": 77, "Name": "Acme Learning"}));
    for (id, name) in [(ORGANISATION, "Acme Academy"), (1002, "Acme South")] {
        tables.add(
            "Organisation",
            json!({"ID": id, "Name": name, "CustomerID": 77, "KeychainCreationForNewUserActive": true,
                   "KeychainEmailSuppression": id == ORGANISATION}),
        );
    }
    for (id, name) in [(1, "In progress"), (2, "Withdrawn"), (3, "Completed")] {
        tables.add("LearnerStatus", json!({"ID": id, "Name": name}));
        tables.add("LearningAimStatus", json!({"ID": id - 1, "Name": name}));
    }
    things(&mut tables);
    people(&mut tables, seed);
    tables.begin_at(90_000);
    tables
}

fn things(tables: &mut Tables) {
    for (id, name) in [(201, "Monday group"), (202, "Evening group")] {
        tables.add(
            "Classroom",
            json!({"ID": id, "Name": name, "MISID": format!("C{id}"), "OrganisationID": ORGANISATION}),
        );
    }
    for (id, name, active) in [(301, "Plant 1", "true"), (302, "Plant 2", "true"), (303, "Old plant", "false")] {
        tables.add(
            "Placement",
            json!({"ID": id, "Name": name, "Active": active, "Address": "1 Canal Street\r\nTowtown\r\nTT1 1TT",
                   "OrganisationID": ORGANISATION}),
        );
    }
    tables.add("Provider", json!({"ID": 401, "Name": "Acme Training", "OrganisationID": ORGANISATION}));
    for (id, title) in [(501, "Safe working"), (502, "First aid"), (503, "Lifting")] {
        tables.add("Standard", json!({"ID": id, "Title": title, "OrganisationID": ORGANISATION}));
        for part in 1..=2 {
            // The number of a unit is a text where units are searched.
            let unit = json!({"ID": format!("{}", id * 10 + part), "Title": format!("{title} {part}"), "NDAQCode": format!("T/{id}/{part}"),
                              "Display": format!("{part}"), "StandardID": id, "OrganisationID": ORGANISATION});
            tables.add("Unit", unit);
        }
    }
    tables.add(
        "FrameworkTemplate",
        json!({"ID": 601, "Name": "New starters", "OrganisationID": ORGANISATION, "Standards": [501, 502]}),
    );
}

fn people(tables: &mut Tables, seed: &Seed) {
    for (id, first, last) in [(10, "Ada", "Lock"), (11, "Ben", "Weir")] {
        let user = json!({"ID": id, "FirstName": first, "LastName": last, "Role": 5, "OrganisationID": ORGANISATION,
                          "Email": format!("{}@acme.example", first.to_lowercase()), "MISID": format!("A{id}"), "DateCreated": NOW});
        tables.add("User", user);
    }
    // One person in three is a learner already, known by what Healthier Business calls that person.
    for number in (0..seed.people as u64).filter(|number| number % 3 == 0) {
        let person = Person::of(seed, number);
        let id = 2000 + number;
        tables.add(
            "User",
            json!({"ID": id, "Username": format!("user{id}"), "FirstName": person.given, "LastName": person.family,
                   "Email": person.email, "MISID": candidate_ref(number), "Role": 1, "OrganisationID": ORGANISATION,
                   "PlacementID": 301, "ClassroomID": 201, "DefaultAssessorID": 10, "DateCreated": NOW,
                   "StartOn": "2025-09-01T00:00:00.000Z", "HomeAddress": "2 Lock Lane\r\nTowtown"}),
        );
        learning(tables, number, id);
    }
}

fn learning(tables: &mut Tables, number: u64, user: u64) {
    let standard = 501 + number % 3;
    let achieved: Value = match number % 2 {
        0 => json!(format!("2025-1{}-1{}T00:00:00.000Z", number % 3, number % 10)),
        _ => Value::Null,
    };
    let aim = json!({"ID": 50_000 + number, "UserID": user, "StandardID": standard, "Status": u64::from(!achieved.is_null()),
                     "StartOn": "2025-09-01T00:00:00.000Z", "AchievedOn": achieved});
    tables.add("LearningAim", aim);
    tables.add(
        "UnitSummary",
        json!({"ID": 60_000 + number, "UserID": user, "UnitID": standard * 10 + 1, "StandardID": standard, "Progress": number % 100}),
    );
    tables.add(
        "Review",
        json!({"ID": 70_000 + number, "LearnerID": user, "UserID": user, "OrganisationID": ORGANISATION,
               "ScheduledFor": format!("2026-02-1{}T10:00:00.000Z", number % 10), "StartedOn": null,
               "LearnerSignedOn": null, "AssessorSignedOn": null, "EmployerSignedOn": null}),
    );
    tables.add("Plan", json!({"ID": 71_000 + number, "LearnerID": user, "UserID": user, "OrganisationID": ORGANISATION, "Title": "Plan"}));
    tables.add(
        "Timesheet",
        json!({"UserID": user, "TimesheetCategory": "Workshop", "FromDate": "2026-01-05T09:00:00.000Z",
               "ToDate": "2026-01-05T12:30:00.000Z", "Comments": "", "IsOffTheJob": "true"}),
    );
}
