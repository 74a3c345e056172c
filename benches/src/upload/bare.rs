//! What the same POSTs cost at least: a loop of reqwest, no journal, no checks but that the answer came.

use super::{CONCURRENCY, VARIABLES};
use crate::Result;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};

/// Sends a file of completions.
pub(crate) fn run(rest: &[String]) -> Result<()> {
    let [input] = rest else {
        return Err("expected a file".into());
    };
    let [url, _, user, password] = VARIABLES.map(|(_, variable)| std::env::var(variable));
    let (url, user, password) = (url?, user?, password?);
    let text = std::fs::read_to_string(input)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let client = Client::new();
        let form = [("grant_type", "password"), ("username", &*user), ("password", &*password)];
        let answer = client.post(format!("{url}/Token")).form(&form).send().await?.error_for_status()?;
        let answer: Value = answer.json().await?;
        let token = answer["access_token"].as_str().ok_or("there is no token in the answer")?;
        let target = format!("{url}/api/cbt/UploadExternalTraining");
        stream::iter(text.lines())
            .map(|line| send(&client, &target, token, line))
            .buffer_unordered(CONCURRENCY)
            .try_for_each(|()| async { Ok(()) })
            .await
    })
}

async fn send(client: &Client, target: &str, token: &str, line: &str) -> Result<()> {
    let record: Value = serde_json::from_str(line)?;
    let body = body(&record);
    let answer = client.post(target).bearer_auth(token).json(&body).send().await?.error_for_status()?;
    answer.bytes().await?;
    Ok(())
}

/// What the pipeline's `record` gives.
fn body(record: &Value) -> Value {
    let completed = record["completed_at"].as_str().unwrap_or_default();
    json!({
        "UserID": record["user_id"],
        "OrganID": record["organ_id"],
        "ProviderID": record["provider_id"],
        "TrainingID": record["training_id"],
        "ProviderName": record["provider"],
        "TrainingTitle": record["title"],
        "CertImageURL": "",
        "CompletionDateMonth": completed.get(5..7),
        "CompletionDateYear": completed.get(..4),
        "ValidityDuration": 24,
        "ByUserID": null,
        "CompletionDate": format!("{}.000Z", completed.trim_end_matches('Z')),
        "ExpiryDate": null,
    })
}
