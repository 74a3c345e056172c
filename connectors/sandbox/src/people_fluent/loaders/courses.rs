//! `courses`: modules and their sessions in XML. The vendor's `courses.xsd` is not public: elements are named here after
//! `module.xsd`. A document with a course that is wrong is refused as a whole.

use serde_json::{Value, json};

use super::tree::{self, Element};
use crate::people_fluent::{
    catalogue::{self, MODULES},
    functions::Call,
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
};

const TYPES: [&str; 21] = [
    "audioCassette",
    "book",
    "cd",
    "classroom",
    "externalCertification",
    "externalCourse",
    "justInTimeLearning",
    "learningProgram",
    "onlineModule",
    "video",
    "virtualClassroom",
    "archivedVirtualClassroom",
    "workshopSeminar",
    "coaching",
    "exam",
    "internship",
    "onTheJobTraining",
    "selfTrainingPaper",
    "selfTrainingVideo",
    "specialInterestGroup",
    "task",
];

pub(in crate::people_fluent) fn load(call: &mut Call<'_>) -> Answer {
    let root = tree::read(&call.given.body)?;
    if root.name != "courses" {
        return Err(refused(&format!("Expected courses, not {}", root.name)));
    }
    let courses: Vec<(String, Value)> = root.all("course").map(|course| one(call, course)).collect::<Result<_, _>>()?;
    let count = courses.len();
    for (id, course) in courses {
        call.held.put(MODULES, &id, course);
    }
    Ok(Reply::One("result", json!({"status": "ok", "courses": count})))
}

fn one(call: &Call<'_>, course: &Element) -> Result<(String, Value), Refused> {
    let id = course.at("id");
    if id.is_empty() {
        return Err(refused("A course has no id"));
    }
    let there = catalogue::find(call.held, &call.system.seed, id);
    let mut module = there
        .unwrap_or_else(|| json!({"id": id, "effectiveRevision": 0, "type": "onlineModule", "language": "English"}));
    for name in ["title", "type", "description", "language", "subject", "duration"] {
        if !course.at(name).is_empty() {
            module[name] = course.at(name).into();
        }
    }
    let kind = module["type"].as_str().unwrap_or_default();
    if module["title"].is_null() || !TYPES.contains(&kind) {
        return Err(refused(&format!("Course {id}: a title and a known type are needed, not {kind}")));
    }
    let sessions: Vec<Value> = course.all("session").map(|session| {
        json!({"id": session.at("code"), "code": session.at("code"), "start": session.at("start"), "end": session.at("end"),
            "location": session.at("location"), "status": "active"})
    }).collect();
    if !sessions.is_empty() {
        module["session"] = sessions.into();
    }
    Ok((id.to_owned(), module))
}
