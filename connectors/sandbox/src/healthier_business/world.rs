//! What this portal holds at first: the people everybody knows as candidates, with courses and what came of them.

use serde_json::{Value, json};

use crate::{
    seed::{Person, Seed},
    tables::Tables,
};

/// When everything here happens.
pub(super) const NOW: &str = "2026-01-05T09:00:00Z";

const COURSES: [(&str, &str); 4] = [
    ("0101", "Moving and handling"),
    ("0102", "Fire safety"),
    ("0203", "Infection control"),
    ("0304", "Basic life support"),
];

/// What the portal calls the person of that number.
pub(crate) fn candidate_ref(number: u64) -> String {
    format!("5f0cafe0-0000-4000-8000-{number:012x}")
}

/// A candidate as the portal shows one: every value a text, an empty one for nothing.
pub(super) fn candidate(number: u64, first: &str, last: &str, email: &str) -> Value {
    let id = format!("{:08}", 10_000 + number);
    json!({
        "candidate_ref": candidate_ref(number), "candidate_id": id, "user_id": format!("{:08}", 20_000 + number),
        "training_id": "", "client_id": "000042", "first_name": first, "last_name": last, "email": email, "username": email,
        "client_record_ref": "", "candidate_status": "activated", "archived": "0", "candidate_group_id": "07",
        "framework_id": "", "candidate_framework": "", "consultant_name": "", "courses": "0101,0102", "training_charge": "client",
        "form_set": "short,long", "job_role": "", "clearance_type": "0", "return_email": "", "documents_required": "0",
        "document_list": "0", "date_registered": "2025-03-04 10:11:12", "last_login": "", "renewal_date": "",
        "assigned_course_count": "2", "completed_course_count": "1", "renewal_due_course_count": "0", "expired_course_count": "0",
    })
}

pub(super) fn of(seed: &Seed) -> Tables {
    let mut tables = Tables::default();
    for (id, name) in COURSES {
        tables.add(
            "course",
            json!({"course_id": id, "testid": format!("T{id}"), "course_name": name, "notes": "", "group_title": "Mandatory"}),
        );
    }
    for (form, title) in [("short", "Short questionnaire"), ("long", "Full questionnaire")] {
        tables.add("form", json!({"form": form, "title": title}));
    }
    for (id, name) in [(1, "Standard"), (2, "Clinical")] {
        tables.add("template", json!({"id": id, "name": name}));
    }
    for number in 0..seed.people as u64 {
        person(&mut tables, seed, number);
    }
    bookings(&mut tables);
    tables.begin_at(seed.people as u64 + 1_000);
    tables
}

fn person(tables: &mut Tables, seed: &Seed, number: u64) {
    let person = Person::of(seed, number);
    let mut candidate = candidate(number, person.given, person.family, &person.email);
    // The customer's own reference is what PeopleFluent calls the person.
    candidate["client_record_ref"] = json!(person.user_id);
    candidate["archived"] = json!(if number % 11 == 10 { "1" } else { "0" });
    candidate["job_role"] = json!(["Nurse", "Porter", ""][(number % 3) as usize]);
    tables.add("candidate", candidate);
    // Every fifth one has no history at all.
    for turn in 0..(number % 5).min(3) {
        let (course, name) = COURSES[((number + turn) % 4) as usize];
        let is_done = !(number + turn).is_multiple_of(3);
        let day = 1 + (number + 3 * turn) % 28;
        tables.add(
            "result",
            json!({
                "candidate_ref": candidate_ref(number), "assigned": turn < 2, "course_id": course, "course_name": name,
                "date_assigned": "2025-05-01 08:00:00",
                "date_completed": if is_done { format!("2025-06-{day:02} 14:30:00") } else { String::new() },
                "renewal_date": if is_done { format!("2026-06-{day:02} 14:30:00") } else { String::new() },
                "course_status": if is_done { "completed" } else { "assigned" },
                "grade": if is_done { format!("{}", 70 + number % 30) } else { String::new() },
            }),
        );
    }
    if number.is_multiple_of(4) {
        request(tables, &person, number);
    }
}

fn request(tables: &mut Tables, person: &Person, number: u64) {
    let (id, completed) = (500 + number, number.is_multiple_of(8));
    let status = if completed { "completed" } else { "pending" };
    tables.add(
        "reference_request",
        json!({
            "id": id, "uuid": format!("00000000-0000-4000-8000-{id:012}"), "candidate_id": 10_000 + number,
            "candidate_name": format!("{} {}", person.given, person.family), "candidate_email": person.email, "template_id": 1,
            "template_name": "Standard", "collection_mode": "client_adds", "status": status,
            "status_label": if completed { "Completed" } else { "Pending" }, "references_required": 1,
            "references_completed": u64::from(completed), "is_fully_referenced": completed, "notes": null,
            "expires_at": "2026-03-01T00:00:00Z", "is_expired": false, "requested_by": "Ada Lock", "submission_url": null,
            "created_at": "2025-12-01T09:00:00Z", "updated_at": NOW,
        }),
    );
    tables.add(
        "reference",
        json!({
            "id": id + 10_000, "uuid": format!("00000000-0000-4000-9000-{id:012}"), "reference_request_id": id,
            "referee_name": "Ben Weir", "referee_email": "ben@former.example", "referee_organisation": "Former Ltd",
            "referee_position": "Manager", "referee_phone": "+44 20 7946 0000", "relationship_to_candidate": "manager",
            "status": if completed { "submitted" } else { "sent" }, "status_label": if completed { "Submitted" } else { "Sent" },
            "score": completed.then_some(87), "decline_reason": null, "form_url": null,
            "pdf_url": completed.then(|| format!("https://portal.example/references/{id}.pdf")),
            "sent_at": "2025-12-01T09:00:00Z", "opened_at": null, "submitted_at": completed.then_some("2025-12-03T16:20:00Z"),
            "expires_at": "2026-03-01T00:00:00Z", "reminder_count": 0, "last_reminder_sent_at": null,
            "created_at": "2025-12-01T09:00:00Z", "updated_at": NOW, "ip_address": "192.0.2.7",
            "form_response": [{"field_code": "punctual", "label": "Punctual?", "value": "yes"}],
            "score_breakdown": {"punctual": {"label": "Punctual?", "value": "yes", "raw_score": 9, "weight": 1, "weighted_score": 9}},
        }),
    );
}

fn bookings(tables: &mut Tables) {
    for (id, date, course) in
        [(1, "2025-11-20", "Basic life support"), (2, "2026-02-10", "Basic life support"), (3, "2026-03-01", "Lifting")]
    {
        tables
            .add("booking", json!({"id": id, "date": date, "course": course, "venue": "Leeds", "status": "confirmed"}));
        tables.add("interview", json!({"id": id, "date": date, "candidate_id": 10_000 + id, "status": "booked"}));
        tables.add(
            "booking_link",
            json!({"id": id, "course": course, "url": format!("https://academy.example/book/{id}")}),
        );
    }
}
