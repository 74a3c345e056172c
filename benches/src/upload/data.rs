//! Completions of people the stand-in knows, of a training it holds, each at another second.

use super::server::Server;
use crate::Result;
use crate::bench::Bench;
use serde_json::{Value, json};
use std::io::Write;

/// The name of the file.
pub(super) fn name(records: u64) -> String {
    format!("completions-{records}.jsonl")
}

/// Makes the file, from what a stand-in says of itself.
pub(super) fn make(bench: &Bench, records: u64) -> Result<()> {
    let server = Server::start(bench)?;
    let books = server.settings()["books"].clone();
    server.stop()?;
    let users: Vec<&Value> = books["users"].as_array().into_iter().flatten().map(|user| &user["UserID"]).collect();
    let training = books["trainings"].get(0).ok_or("the stand-in holds no training")?;
    if users.is_empty() {
        return Err("the stand-in knows nobody".into());
    }
    bench.data(&name(records), |out| {
        for (record, user) in (0..records).zip(users.iter().cycle()) {
            let completion = json!({
                "user_id": user,
                "organ_id": books["organisation"]["OrganID"],
                "provider_id": training["ProviderId"],
                "training_id": training["TrainingId"],
                "provider": training["ProviderName"],
                "title": training["TrainingCourse"],
                "completed_at": moment(record),
            });
            writeln!(out, "{completion}")?;
        }
        Ok(())
    })?;
    Ok(())
}

/// A time of 2024, another one for each of the first 2,400,000 numbers.
fn moment(number: u64) -> String {
    let (second, minute, hour) = (number % 60, number / 60 % 60, number / 3600 % 24);
    let (day, month) = (1 + number / 86_400 % 28, 1 + number / 2_419_200 % 12);
    format!("2024-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}
