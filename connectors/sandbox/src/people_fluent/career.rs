//! Competencies, job profiles, plans and certificates. What is awarded follows from what was completed.

use serde_json::{Value, json};

use super::{
    files,
    functions::Call,
    held::text,
    page::Refused,
    query::refused,
    reply::{Answer, Reply, done, plain},
};

const COMPETENCIES: &str = "competencies";
const PROFILES: &str = "job_profiles";
/// By user id, the ids of the profiles.
const ASSIGNED: &str = "assigned";

impl Call<'_> {
    fn profiles(&self, user: &str) -> Vec<Value> {
        let ids = self.held.get(ASSIGNED, user).and_then(|one| one["profiles"].as_array()).cloned().unwrap_or_default();
        ids.iter().filter_map(|id| self.held.get(PROFILES, id.as_str()?)).cloned().collect()
    }

    /// Completed records with a date.
    fn completed(&self) -> Vec<Value> {
        let done = |record: &Value| text(record, "overallStatus") == "completed" && !record["endDate"].is_null();
        self.records_of(self.user).into_iter().filter(done).collect()
    }

    /// The competencies of the user's profiles, each with whether it is there.
    fn wanted(&self) -> Vec<(Value, bool)> {
        let many = self.completed().len();
        let ids = self
            .profiles(self.user)
            .into_iter()
            .flat_map(|profile| profile["competency"].as_array().cloned().unwrap_or_default());
        let all = ids.filter_map(|one| self.held.get(COMPETENCIES, text(&one, "id")).cloned());
        all.enumerate().map(|(at, competency)| (competency, at < many)).collect()
    }

    fn search(&self, shelf: &str) -> Vec<Value> {
        let given = self.given;
        let like = |one: &&Value| given.finds(&format!("{} {}", text(one, "name"), text(one, "description")));
        self.held.shelf(shelf).filter(like).take(given.max()).cloned().collect()
    }
}

pub(super) fn competencies(call: &mut Call<'_>) -> Answer {
    Ok(Reply::Many("competencies", "competency", call.search(COMPETENCIES)))
}

pub(super) fn competency(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("id");
    let found = call.held.get(COMPETENCIES, id).ok_or_else(|| refused(&format!("No such competency: {id}")))?;
    Ok(Reply::One("competency", found.clone()))
}

pub(super) fn job_profiles(call: &mut Call<'_>) -> Answer {
    let found = call.search(PROFILES);
    if call.given.text("groupBy") == "none" {
        return Ok(Reply::Many("jobProfiles", "jobProfile", found));
    }
    let mut catalogues: Vec<Value> = Vec::new();
    for profile in found {
        let name = profile["catalog"].clone();
        match catalogues.iter_mut().find(|catalogue| catalogue["name"] == name) {
            Some(catalogue) => {
                catalogue["jobProfile"].as_array_mut().into_iter().for_each(|list| list.push(profile.clone()))
            }
            None => catalogues.push(json!({"name": name, "jobProfile": [profile]})),
        }
    }
    Ok(Reply::Many("catalogs", "catalog", catalogues))
}

pub(super) fn assigned(call: &mut Call<'_>) -> Answer {
    Ok(Reply::Many("jobProfiles", "jobProfile", call.profiles(call.user)))
}

pub(super) fn assign(call: &mut Call<'_>) -> Answer {
    change(call, true)
}

pub(super) fn unassign(call: &mut Call<'_>) -> Answer {
    change(call, false)
}

fn change(call: &mut Call<'_>, assign: bool) -> Answer {
    let profile = call.given.text("profileId");
    if call.held.get(PROFILES, profile).is_none() {
        return Err(refused(&format!("No such job profile: {profile}")));
    }
    let user = call.target("userId", "targetAssignmentId")?;
    let mut ids: Vec<String> = call.profiles(&user).iter().map(|one| text(one, "id").to_owned()).collect();
    let has = ids.iter().any(|id| id == profile);
    if has == assign {
        let said = if assign { "has the job profile already" } else { "does not have the job profile" };
        return Err(refused(&format!("{user} {said}: {profile}")));
    }
    ids.retain(|id| id != profile);
    ids.extend(assign.then(|| profile.to_owned()));
    call.held.put(ASSIGNED, &user, json!({"userId": user, "profiles": ids}));
    done()
}

fn item(record: &Value) -> Value {
    let module = &record["learningModule"];
    let (code, label) =
        if record["overallStatus"] == "completed" { ("completed", "Completed") } else { ("inProcess", "In process") };
    json!({"status": {"code": code, "label": label}, "module": {"id": module["id"], "title": module["title"],
        "type": {"code": module["type"], "label": module["type"]}, "description": ""},
        "url": format!("/ekp/servlet/ekp?RID={}&TX=GETTRAN", text(record, "@id")), "optional": false,
        "completed": record["endDate"]})
}

/// The profile's competencies with the modules they take; prerequisites are nested sequences.
fn path_of(call: &Call<'_>) -> Value {
    let mut items = call.completed().into_iter().map(|record| item(&record));
    let competencies = call.wanted().into_iter().map(|(competency, complete)| {
        let mut sequence: Vec<Value> = items.by_ref().take(2).collect();
        if let Some(inner) = (sequence.len() > 1).then(|| sequence.pop()).flatten() {
            sequence[0]["sequence"] = json!([{"item": [inner]}]);
        }
        let (code, label) = if complete { ("completed", "Completed") } else { ("notComplete", "Not complete") };
        json!({"status": {"code": code, "label": label}, "name": competency["name"], "optional": false, "id": competency["id"],
            "code": competency["code"], "description": competency["description"], "sequence": [{"item": sequence}]})
    });
    let competencies: Vec<Value> = competencies.collect();
    let profiles: Vec<Value> = call.profiles(call.user).iter().map(|profile| {
        json!({"name": profile["name"], "code": profile["code"], "description": profile["description"], "competency": competencies})
    }).collect();
    Value::Array(profiles)
}

fn plan(call: &Call<'_>) -> Vec<Value> {
    let active = call.records_of(call.user).into_iter().filter(super::training::is_active);
    let items = active.map(|record| {
        let mut planned = item(&record);
        planned["completed"] = Value::Null;
        planned["priority"] = json!({"code": "medium", "label": "Medium"});
        planned
    });
    items.collect()
}

pub(super) fn learning_path(call: &mut Call<'_>) -> Answer {
    Ok(Reply::One("learningPath", json!({"trainingPlanItem": plan(call), "jobProfile": path_of(call)})))
}

pub(super) fn training_plan(call: &mut Call<'_>) -> Answer {
    Ok(Reply::Many("trainingPlan", "trainingPlanItem", plan(call)))
}

pub(super) fn path(call: &mut Call<'_>) -> Answer {
    Ok(Reply::One("jobProfilePath", json!({"jobProfile": path_of(call)})))
}

pub(super) fn completion(call: &mut Call<'_>) -> Answer {
    let shown = call.wanted().into_iter().map(|(competency, complete)| {
        json!({"id": competency["id"], "name": competency["name"],
            "status": {"code": if complete { "completed" } else { "notComplete" }}})
    });
    Ok(Reply::Many("competencies", "competency", shown.collect()))
}

pub(super) fn awarded(call: &mut Call<'_>) -> Answer {
    let dates: Vec<Value> = call.completed().into_iter().map(|record| record["endDate"].clone()).collect();
    let shown = call.wanted().into_iter().zip(dates).filter(|((_, complete), _)| *complete).map(|((competency, _), date)| {
        json!({"id": competency["id"], "name": competency["name"], "description": competency["description"], "assigned": date,
            "level": competency["requiredLevel"], "requiredLevel": competency["requiredLevel"], "maxLevel": competency["maxLevel"],
            "competent": true, "assigner": {"id": "lms.admin", "family": "Administrator", "given": "LMS"}})
    });
    Ok(Reply::Many("competencies", "competency", shown.collect()))
}

/// Each completed module gives a certificate, known by the record.
pub(super) fn certifications(call: &mut Call<'_>) -> Answer {
    let shown = call.completed().into_iter().map(|record| {
        let module = &record["learningModule"];
        json!({"awardId": format!("AW-{}", text(&record, "@id")), "id": module["id"], "title": module["title"],
            "awarded": record["endDate"], "expires": null, "score": record["score"]})
    });
    Ok(Reply::Many("certifications", "certification", shown.collect()))
}

pub(super) fn certificate(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("awardId");
    let record: Result<Value, Refused> = call
        .completed()
        .into_iter()
        .find(|record| id.strip_prefix("AW-") == Some(text(record, "@id")))
        .ok_or_else(|| refused(&format!("No such award of {}: {id}", call.user)));
    let record = record?;
    let title = plain(&record["learningModule"]["title"]);
    let bytes = files::pdf(&["Certificate", call.user, &title, text(&record, "endDate")]);
    Ok(Reply::File { kind: "application/pdf", name: format!("{id}.pdf"), bytes })
}
