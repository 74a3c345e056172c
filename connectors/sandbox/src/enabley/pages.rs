//! Pages by key: `{items, pageSize, currentPage, totalPages, paginationKey}`, the key null on the last page.
//!
//! A key says where the next page starts and carries a sum over that place, the list and its filters, so that a key of
//! another list, of other filters or of nobody's making is an unknown one: status 404, as the vendor documents.

use axum::http::StatusCode;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{
    Enabley,
    call::{Answer, Call, Good, Problem},
};

const KEY: &str = "paginationKey";

/// The page a call asks for.
pub(super) fn page(system: &Enabley, list: &str, call: &Call<'_>, rows: impl Iterator<Item = Value>) -> Answer {
    let size = system.page_size;
    let filters = filters(call);
    let start = match call.asked(KEY) {
        None => 0,
        Some(key) => place(system, list, &filters, key).ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "not_found", format!("The {KEY} '{key}' is not valid"))
        })?,
    };
    let (mut items, mut total) = (Vec::new(), 0);
    for row in rows {
        if (start..start + size).contains(&total) {
            items.push(row);
        }
        total += 1;
    }
    let next = (start + size < total).then(|| key(system, list, &filters, start + size));
    Ok(Good::Value(json!({
        "items": items,
        "pageSize": size,
        "currentPage": start / size + 1,
        "totalPages": total.div_ceil(size),
        KEY: next,
    })))
}

/// All that is asked but the key.
fn filters(call: &Call<'_>) -> String {
    let mut filters: Vec<String> =
        call.query.iter().filter(|(name, _)| name != KEY).map(|(name, value)| format!("{name}={value}")).collect();
    filters.sort();
    filters.join("&")
}

fn key(system: &Enabley, list: &str, filters: &str, start: usize) -> String {
    let sum =
        [list, filters].iter().flat_map(|text| text.bytes()).fold(system.seed.roll(21, start as u64), |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
    BASE64URL_NOPAD.encode(format!("{start}:{sum:016x}").as_bytes())
}

fn place(system: &Enabley, list: &str, filters: &str, text: &str) -> Option<usize> {
    let decoded = String::from_utf8(BASE64URL_NOPAD.decode(text.as_bytes()).ok()?).ok()?;
    let start = decoded.split_once(':')?.0.parse().ok()?;
    (key(system, list, filters, start) == text).then_some(start)
}
