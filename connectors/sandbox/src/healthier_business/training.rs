//! Courses, results and certificates of version 1.

use serde_json::{Value, json};

use super::{
    HealthierBusiness,
    candidates::unknown,
    router::{Answer, Call, Good},
};
use crate::tables::plain;

pub(super) fn courses(system: &HealthierBusiness, _: &Call) -> Answer {
    let state = system.state();
    let trainings = state.all("course");
    Ok(Good::value(200, json!({"count": trainings.len(), "trainings": trainings})))
}

/// Results of a candidate: what the portal tells, without what the stand-in keeps for itself.
fn results(
    system: &HealthierBusiness,
    call: &Call,
    fits: impl Fn(&Value) -> bool,
) -> Result<Vec<Value>, super::router::Problem> {
    let state = system.state();
    state.find("candidate", "candidate_ref", &call.path[0]).ok_or_else(unknown)?;
    let of_it =
        state.all("result").iter().filter(|result| plain(&result["candidate_ref"]) == call.path[0] && fits(result));
    Ok(of_it
        .map(|result| {
            let mut shown = result.clone();
            if let Some(members) = shown.as_object_mut() {
                members.retain(|name, _| !matches!(name.as_str(), "candidate_ref" | "assigned"));
            }
            shown
        })
        .collect())
}

fn courses_of(rows: Vec<Value>) -> Answer {
    Ok(match rows.is_empty() {
        true => Good::Empty(204),
        false => Good::value(200, json!([{"courses": rows}])),
    })
}

pub(super) fn report(system: &HealthierBusiness, call: &Call) -> Answer {
    courses_of(results(system, call, |result| result["assigned"] == true)?)
}

pub(super) fn unassigned(system: &HealthierBusiness, call: &Call) -> Answer {
    courses_of(results(system, call, |result| result["assigned"] == false)?)
}

pub(super) fn course_result(system: &HealthierBusiness, call: &Call) -> Answer {
    courses_of(results(system, call, |result| plain(&result["course_id"]) == call.path[1])?)
}

/// One document for all certificates; none when nothing was completed.
pub(super) fn certificate(system: &HealthierBusiness, call: &Call) -> Answer {
    let completed = results(system, call, |result| !plain(&result["date_completed"]).is_empty())?;
    Ok(match completed.is_empty() {
        true => Good::Empty(204),
        false => Good::Pdf { name: format!("{}.pdf", call.path[0]), text: format!("{} certificates", completed.len()) },
    })
}

pub(super) fn certificate_of_course(system: &HealthierBusiness, call: &Call) -> Answer {
    let of_course =
        |result: &Value| plain(&result["course_id"]) == call.path[1] && !plain(&result["date_completed"]).is_empty();
    Ok(match results(system, call, of_course)?.first() {
        None => Good::Empty(204),
        Some(result) => {
            Good::Pdf { name: format!("{}-{}.pdf", call.path[0], call.path[1]), text: plain(&result["course_name"]) }
        }
    })
}
