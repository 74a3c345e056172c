//! What an LMS holds before anybody changes it: a little of everything, the same for equal seeds.

use serde_json::{Value, json};

use super::{
    admission::ADMINISTRATOR,
    held::{Held, RECORDS},
    organisations,
    xml::timestamp,
};
use crate::seed::{HISTORY_END_MS, Person, Seed};

pub(super) const DAY_MS: i64 = 86_400_000;
/// So many of the persons have messages, tasks, records of external training and the like.
const MOST_PERSONS: u64 = 24;

pub(super) fn fill(held: &mut Held, seed: &Seed) {
    let mut put = |shelf: &str, id: &str, thing: Value| held.put(shelf, id, thing);
    articles(&mut put);
    careers(&mut put);
    places(&mut put);
    let persons: Vec<Person> =
        (0..(seed.people as u64).min(MOST_PERSONS)).map(|number| Person::of(seed, number)).collect();
    for person in &persons {
        of_person(&mut put, person);
    }
    requests(&mut put, seed, &persons);
}

fn at(days_before: i64) -> String {
    timestamp(HISTORY_END_MS - days_before * DAY_MS, 0)
}

/// The account of a person of the seed.
pub(super) fn account(seed: &Seed, person: &Person) -> Value {
    let appraiser = person.number.checked_sub(1).map(|_| Person::of(seed, person.number / 4));
    let attributes: Vec<Value> =
        (1..=8).map(|n| json!({"description": format!("attribute {n} of {}", person.number)})).collect();
    let department = ["Fitting & Welding", "Stores", "Office"][(person.number % 3) as usize];
    json!({
        "id": person.user_id,
        "family": person.family,
        "given": person.given,
        "middle": null,
        "other": null,
        "prefix": null,
        "email": person.email,
        "status": person.status,
        "employeeNumber": format!("{:06}", person.number),
        "organization": organisations::with_parents(person.organisation),
        "directAppraiser": appraiser.map(|one| json!({"id": one.user_id, "family": one.family, "given": one.given})),
        "departmentId": format!("D{}", person.number % 3),
        "departmentName": department,
        "costCenter": format!("00{}", 400 + person.number % 3),
        "jobTitle": person.number.is_multiple_of(3).then_some("Fitter & Welder"),
        "phone": format!("+44 20 7946 {:04}", person.number),
        "city": "Leeds",
        "country": {"code": "GBR"},
        "attributes": attributes,
    })
}

/// The administrator's account, which no list of users shows.
pub(super) fn administrator() -> Value {
    json!({"id": ADMINISTRATOR, "family": "Administrator", "given": "LMS", "email": "lms.admin@acme.example",
        "status": "active", "employeeNumber": "000000", "organization": organisations::with_parents("*ROOT*")})
}

fn articles(put: &mut impl FnMut(&str, &str, Value)) {
    let titles = [
        "New safety shoes",
        "Canteen & car park",
        "Ladder <inspection> week",
        "Audit results",
        "Fire drill",
        "Old news",
    ];
    for (n, title) in (1_i64..).zip(titles) {
        let id = format!("ART{n}");
        let published = HISTORY_END_MS - n * 10 * DAY_MS;
        let article = json!({
            "id": id, "title": title, "summary": format!("{title}, in short"),
            "content": format!("<p>{title}: all of it.</p>"),
            "categoryId": if n % 2 == 1 { "safety" } else { "company" },
            "published": timestamp(published, 0), "author": "LMS Administrator",
            // The last one has expired.
            "expires": (n == 6).then(|| at(1)),
            "_public": n <= 4, "_published": published,
        });
        put("articles", &id, article);
    }
    for n in 1..=30_i64 {
        let id = format!("POST{n:03}");
        let subject = if n % 3 == 0 { format!("Topic {n}") } else { format!("Re: Topic {}", n / 3 * 3) };
        let post = json!({"id": id, "title": subject, "summary": format!("Words of post {n} & more"),
            "content": format!("Words of post {n} & more"), "author": "Amara Okafor", "categoryId": "forum",
            "_published": HISTORY_END_MS - n * DAY_MS});
        put("posts", &id, post);
    }
}

fn careers(put: &mut impl FnMut(&str, &str, Value)) {
    for (n, name) in (1..).zip(["Working at height", "First aid", "Forklift", "Audit", "COSHH assessor"]) {
        let level = |code: u64| json!({"code": code.to_string(), "measure": format!("{code}.00")});
        let competency = json!({"id": format!("C{n}"), "code": format!("COMP-{n}"), "name": name,
            "description": format!("{name}, as the site wants it"), "requiredLevel": level(n % 3 + 1), "maxLevel": level(5),
            "module": [{"id": format!("mod-{n}"), "title": format!("Module for {name}")}]});
        put("competencies", &format!("C{n}"), competency);
    }
    for (n, (name, catalogue)) in (1..).zip([("Technician", "Plant"), ("Storekeeper", "Plant"), ("Clerk", "Office")]) {
        let competencies = [format!("C{n}"), format!("C{}", n + 1)];
        let profile = json!({"id": format!("JP{n}"), "code": name, "name": name, "description": format!("{name} of the site"),
            "catalog": catalogue, "competency": competencies.map(|id| json!({"id": id}))});
        put("job_profiles", &format!("JP{n}"), profile);
    }
}

fn places(put: &mut impl FnMut(&str, &str, Value)) {
    for (id, name) in [("FAC1", "Leeds Training Centre"), ("FAC2", "Hull Yard")] {
        let facility = json!({"id": id, "code": id, "name": name, "seats": 12, "address": "1 Water Lane", "city": "Leeds",
            "trainingCenter": {"name": name}, "timeZone": "Europe/London"});
        put("facilities", id, facility);
    }
    for (n, title) in (1..).zip(["Ladder checklist", "Site rules", "Welding handbook"]) {
        let resource = json!({"id": format!("RES{n}"), "title": title, "description": format!("{title} for everybody"),
            "type": "document", "url": format!("resources/RES{n}.txt"), "language": "en"});
        put("resources", &format!("RES{n}"), resource);
    }
    for (n, name) in (1..).zip(["Daily completions", "Monthly overview", "Users & groups"]) {
        let pathname = format!("/reports/{n:02}/{}.csv", name.to_lowercase().replace([' ', '&'], "-"));
        let created = HISTORY_END_MS - n * 30 * DAY_MS;
        let report = json!({"name": name, "pathname": pathname, "created": timestamp(created, 0), "size": 40 + n,
            "contentType": "text/csv", "_created": created});
        put("reports", &pathname, report);
    }
}

fn of_person(put: &mut impl FnMut(&str, &str, Value), person: &Person) {
    let (number, user) = (person.number, &person.user_id);
    let days = number as i64;
    for (part, subject) in (1_i64..).zip(["Welcome", "Reminder"]) {
        let id = format!("MSG{number:03}-{part}");
        let message = json!({"id": id, "userId": user, "subject": subject,
            "from": {"id": ADMINISTRATOR, "family": "Administrator", "given": "LMS"},
            "sent": at(days + part), "read": part == 2, "body": format!("Dear {}, this is message {part}.", person.given)});
        put("messages", &id, message);
    }
    let id = format!("EXT{number:06}");
    let record = json!({"id": id, "userId": user, "title": format!("Course elsewhere {number}"), "type": "classroom",
        "subject": "Safety", "startDate": "2025-03-03", "endDate": "2025-03-04", "venue": "Hull", "language": "en",
        "durationAmount": "2.50", "durationUnit": "day", "costAmount": "250.00", "costCurrency": "GBP", "grade": null,
        "score": null, "vendor": "St John", "comments": null,
        "status": if number % 4 == 1 { "pendingApproval" } else { "completed" }});
    put("external", &id, record);
    let task = json!({"taskId": format!("TASK{number:03}"), "userId": user, "title": format!("Show your tools {number}"),
        "status": if number % 2 == 0 { "pending" } else { "approved" }, "submitted": at(days + 3)});
    put("tasks", &format!("TASK{number:03}"), task);
    if number % 3 == 0 {
        put("assigned", user, json!({"userId": user, "profiles": ["JP1"]}));
        let assessment = json!({"id": format!("SA{number:03}"), "enrollmentId": format!("SA{number:03}"), "userId": user,
            "module": {"id": "mod-3", "title": "On the job"}, "status": "pending", "due": at(-30), "_supervisor": ADMINISTRATOR,
            "question": [{"number": 1, "text": "Works safely?"}, {"number": 2, "text": "Tidies up?"}]});
        put("supervisor_assessments", &format!("SA{number:03}"), assessment);
    }
}

/// Requests in each state an approver can meet, all from the second person, all but one to the administrator.
fn requests(put: &mut impl FnMut(&str, &str, Value), seed: &Seed, persons: &[Person]) {
    let (Some(asks), Some(other)) = (persons.get(1), persons.last()) else {
        return;
    };
    let kinds = ["", "two steps", "to be paid", "full", "of another", "", "fails"];
    for (n, kind) in (1_i64..).zip(kinds) {
        let id = format!("ER{n}");
        let approver = if kind == "of another" { other.user_id.as_str() } else { ADMINISTRATOR };
        let step = |step: i64, status: &str| json!({"id": format!("{id}-{step}"), "approver": {"id": approver}, "status": status});
        let mut steps = vec![step(1, "pending")];
        if kind == "two steps" {
            steps.push(step(2, "waiting"));
        }
        let submitted = HISTORY_END_MS - n * DAY_MS;
        let request = json!({"id": id, "user": {"id": asks.user_id, "family": asks.family, "given": asks.given},
            "module": {"id": format!("mod-{}", 40 + n), "title": seed.title(40 + n as u64)}, "status": "pending",
            "submitted": timestamp(submitted, 0), "reason": "For my work", "step": steps, "_kind": kind, "_submitted": submitted});
        put("enrollment_requests", &id, request);
        if n > 3 {
            continue;
        }
        let transcript = format!("TRW{n:06}");
        let record = json!({"@id": transcript, "userId": asks.user_id,
            "learningModule": {"id": format!("mod-{}", 50 + n), "title": seed.title(50 + n as u64), "type": "classroom"},
            "enrollmentDate": at(20), "overallStatus": "enrolled", "attemptCount": 0, "isSelfEnrolled": true,
            "downloadable": true, "_session": format!("S-{}-1", 50 + n), "_updated": HISTORY_END_MS, "_aside": true});
        put(RECORDS, &transcript, record);
        let withdrawal = json!({"id": transcript, "user": {"id": asks.user_id}, "status": "pending", "submitted": at(n),
            "module": {"id": format!("mod-{}", 50 + n), "title": seed.title(50 + n as u64)}, "reason": "Cannot come",
            "_submitted": HISTORY_END_MS - n * DAY_MS});
        put("withdrawal_requests", &transcript, withdrawal);
    }
}
