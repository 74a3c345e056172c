//! What the same calls cost at least: loops of reqwest and serde_json that keep nothing.

use super::{CONCURRENCY, VARIABLE};
use crate::Result;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde_json::Value;

/// Reads all pages, one after the other.
pub(crate) fn pages(rest: &[String]) -> Result<()> {
    read(rest, async |client, url| {
        let mut rows = 0;
        let mut key = None;
        loop {
            let page = people(&client, &url, key.as_deref()).await?;
            rows += items(&page);
            match page["next"].as_str() {
                Some(next) => key = Some(next.to_owned()),
                None => return Ok(rows),
            }
        }
    })
}

/// Reads all people, then the results of each, so many at a time.
pub(crate) fn fan_out(rest: &[String]) -> Result<()> {
    read(rest, async |client, url| {
        let mut ids = Vec::new();
        let mut key = None;
        loop {
            let page = people(&client, &url, key.as_deref()).await?;
            ids.extend(page["items"].as_array().into_iter().flatten().filter_map(|person| person["id"].as_u64()));
            match page["next"].as_str() {
                Some(next) => key = Some(next.to_owned()),
                None => break,
            }
        }
        let (client, url) = (&client, &url);
        stream::iter(ids)
            .map(|id| async move {
                let answer = client.get(format!("{url}/people/{id}/results")).send().await?.error_for_status()?;
                let body: Value = serde_json::from_slice(&answer.bytes().await?)?;
                Result::Ok(items(&body))
            })
            .buffer_unordered(CONCURRENCY)
            .try_fold(0, |sum, rows| async move { Ok(sum + rows) })
            .await
    })
}

fn read(rest: &[String], rows: impl AsyncFnOnce(Client, String) -> Result<u64>) -> Result<()> {
    let [expected] = rest else {
        return Err("expected a number of rows".into());
    };
    let expected: u64 = expected.parse()?;
    let url = std::env::var(VARIABLE)?;
    let rows = tokio::runtime::Runtime::new()?.block_on(rows(Client::new(), url))?;
    if rows == expected { Ok(()) } else { Err(format!("{rows} rows came, expected {expected}").into()) }
}

async fn people(client: &Client, url: &str, key: Option<&str>) -> Result<Value> {
    let mut request = client.get(format!("{url}/people"));
    if let Some(key) = key {
        request = request.query(&[("key", key)]);
    }
    let answer = request.send().await?.error_for_status()?;
    Ok(serde_json::from_slice(&answer.bytes().await?)?)
}

fn items(body: &Value) -> u64 {
    body["items"].as_array().map_or(0, |items| items.len() as u64)
}
