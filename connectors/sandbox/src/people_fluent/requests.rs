//! Requests for approval: to enrol, to withdraw, of a task. How an approval ends is told in the vendor's words.

use serde_json::Value;

use super::{
    functions::Call,
    held::text,
    query::refused,
    reply::{Answer, Reply, done, plain, status},
    training::keep,
};

const ENROLMENTS: &str = "enrollment_requests";
const WITHDRAWALS: &str = "withdrawal_requests";
const TASKS: &str = "tasks";

/// Requests the user made or has to answer; with `inbox` only those that wait for the user's answer.
fn list(
    call: &Call<'_>,
    shelf: &str,
    root: &'static str,
    one: &'static str,
    waits: fn(&Value, &str) -> bool,
) -> Answer {
    let given = call.given;
    let since = given.time("since");
    let found = call.held.shelf(shelf).filter(|request| {
        let waiting = text(request, "status") == "pending" && waits(request, call.user);
        (waiting || (!given.is_true("inbox") && concerns(request, call.user)))
            && since.is_none_or(|since| request["_submitted"].as_i64().is_some_and(|at| at > since))
            && given.get("filter").is_none_or(|filter| plain(request).to_lowercase().contains(&filter.to_lowercase()))
    });
    Ok(Reply::Many(root, one, found.cloned().collect()))
}

fn concerns(request: &Value, user: &str) -> bool {
    user == super::admission::ADMINISTRATOR || text(&request["user"], "id") == user
}

pub(super) fn enrolments(call: &mut Call<'_>) -> Answer {
    let waits = |request: &Value, user: &str| {
        let mut steps = request["step"].as_array().into_iter().flatten();
        steps.any(|step| text(step, "status") == "pending" && text(&step["approver"], "id") == user)
    };
    list(call, ENROLMENTS, "enrollmentRequests", "enrollmentRequest", waits)
}

pub(super) fn withdrawals(call: &mut Call<'_>) -> Answer {
    let waits = |_: &Value, user: &str| user == super::admission::ADMINISTRATOR;
    list(call, WITHDRAWALS, "withdrawalRequests", "withdrawalRequest", waits)
}

pub(super) fn approve_enrolment(call: &mut Call<'_>) -> Answer {
    answer_enrolment(call, true)
}

pub(super) fn deny_enrolment(call: &mut Call<'_>) -> Answer {
    answer_enrolment(call, false)
}

fn answer_enrolment(call: &mut Call<'_>, approved: bool) -> Answer {
    let given = call.given;
    let id = given.text("request-id");
    let Some(mut request) = call.held.get(ENROLMENTS, id).cloned() else {
        return status("no-such-request");
    };
    let steps = request["step"].as_array().cloned().unwrap_or_default();
    let Some(at) = steps.iter().position(|step| text(step, "id") == given.text("step-id")) else {
        return status("no-such-step");
    };
    if text(&steps[at]["approver"], "id") != call.user {
        return status("invalid-approver");
    }
    if text(&steps[at], "status") != "pending" {
        return status("inactive-step");
    }
    match text(&request, "_kind") {
        "to be paid" if approved && given.get("cost-center").is_none() => return status("payment-required"),
        "fails" if approved => return status("not-successful"),
        _ => {}
    }
    request["step"][at]["status"] = if approved { "approved" } else { "denied" }.into();
    let is_last = at + 1 == steps.len();
    if approved && !is_last {
        request["step"][at + 1]["status"] = "pending".into();
    } else {
        request["status"] = if approved { "approved" } else { "denied" }.into();
    }
    let full = text(&request, "_kind") == "full";
    call.held.put(ENROLMENTS, id, request.clone());
    if !approved || !is_last {
        return done();
    }
    let user = text(&request["user"], "id").to_owned();
    if let Some(module) = call.module(text(&request["module"], "id")) {
        let mut record = call.enrolled(&user, &module, None);
        if full {
            record["overallStatus"] = "waitlisted".into();
            keep(call.held, record);
        }
    }
    status(if full { "waitlisted" } else { "ok" })
}

pub(super) fn approve_withdrawal(call: &mut Call<'_>) -> Answer {
    answer_withdrawal(call, "approved")
}

pub(super) fn deny_withdrawal(call: &mut Call<'_>) -> Answer {
    answer_withdrawal(call, "denied")
}

/// The words are those of enrolments; the vendor names none for withdrawals.
fn answer_withdrawal(call: &mut Call<'_>, outcome: &str) -> Answer {
    let id = call.given.text("request-id");
    match call.held.get_mut(WITHDRAWALS, id) {
        Some(request) if request["status"] == "pending" => request["status"] = outcome.into(),
        _ => return status("no-such-request"),
    }
    if outcome == "approved" {
        let mut record = call.record(id)?;
        record["overallStatus"] = "withdrawn".into();
        keep(call.held, record);
    }
    done()
}

pub(super) fn tasks(call: &mut Call<'_>) -> Answer {
    let wanted = call.given.text("status");
    let tasks = call.held.shelf(TASKS).filter(|task| {
        let own = text(task, "userId") == call.user;
        (own || call.user == super::admission::ADMINISTRATOR) && (wanted == "all" || text(task, "status") == wanted)
    });
    Ok(Reply::Many("tasks", "task", tasks.cloned().collect()))
}

pub(super) fn approve_task(call: &mut Call<'_>) -> Answer {
    let id = call.given.text("taskId");
    match call.held.get_mut(TASKS, id) {
        Some(task) if task["status"] == "pending" => {
            task["status"] = "approved".into();
            done()
        }
        Some(_) => Err(refused(&format!("The task {id} is approved already"))),
        None => Err(refused(&format!("No such task: {id}"))),
    }
}
