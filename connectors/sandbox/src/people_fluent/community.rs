//! Messages, forum posts, and what one's classmates did lately.

use serde_json::{Value, json};

use super::{
    functions::Call,
    held::{RECORDS, text},
    news::{Entry, feed},
    page::Refused,
    query::refused,
    reply::{Answer, Reply, done},
    xml::timestamp,
};
use crate::seed::Record;

const MESSAGES: &str = "messages";
const ACTIVITIES: [&str; 2] = ["enrollment", "completion"];

/// The list of messages has their heads alone.
pub(super) fn mailbox(call: &mut Call<'_>) -> Answer {
    let own = call.held.shelf(MESSAGES).filter(|message| text(message, "userId") == call.user);
    let heads = own.map(|message| {
        json!({"id": message["id"], "subject": message["subject"], "from": message["from"], "sent": message["sent"],
            "read": message["read"]})
    });
    Ok(Reply::Many("messages", "message", heads.collect()))
}

impl Call<'_> {
    fn message(&self) -> Result<Value, Refused> {
        let id = self.given.text("id");
        let own = self.held.get(MESSAGES, id).filter(|message| text(message, "userId") == self.user);
        own.cloned().ok_or_else(|| refused(&format!("No such message: {id}")))
    }
}

pub(super) fn message(call: &mut Call<'_>) -> Answer {
    Ok(Reply::One("message", call.message()?))
}

pub(super) fn mark_read(call: &mut Call<'_>) -> Answer {
    let mut message = call.message()?;
    message["read"] = true.into();
    call.held.put(MESSAGES, call.given.text("id"), message);
    done()
}

pub(super) fn posts(call: &mut Call<'_>) -> Answer {
    let posts = call.held.shelf("posts").take(call.given.max());
    Ok(feed(call.system, call.given.text("format"), "post", posts.map(Entry::of)))
}

/// The latest of the history, and all enrolments made since.
pub(super) fn activity(call: &mut Call<'_>) -> Answer {
    let given = call.given;
    let kind = given.text("activityType");
    if !ACTIVITIES.contains(&kind) {
        return Err(refused(&format!("Parameter activityType: unknown value: {kind}")));
    }
    let (system, held) = (call.system, &*call.held);
    let (from, to) = (given.time("startDate"), given.time("endDate"));
    let seeded =
        (0..system.records()).rev().map(|index| super::training::value(&system.seed, &Record::of(&system.seed, index)));
    let seeded = seeded.filter(|record| held.get(RECORDS, text(record, "@id")).is_none());
    let all = held.shelf(RECORDS).cloned().chain(seeded).filter(|record| {
        let at = record["_updated"].as_i64().unwrap_or_default();
        (kind == "completion") == (text(record, "overallStatus") == "completed")
            && given.get("userId").is_none_or(|id| text(record, "userId") == id.to_lowercase())
            && from.is_none_or(|from| at > from)
            && to.is_none_or(|to| at < to)
    });
    let shown = all.take(given.max()).map(|record| {
        let at = record["_updated"].as_i64().unwrap_or_default();
        json!({"activityType": kind, "user": {"id": record["userId"]}, "date": timestamp(at, 0),
            "module": {"id": record["learningModule"]["id"], "title": record["learningModule"]["title"]}})
    });
    Ok(Reply::Many("activities", "activity", shown.collect()))
}
