//! How pages follow each other, guessed from the names of parameters and of members of the answer.

use crate::call::Call;
use crate::schema::kind;
use crate::write::Page;
use serde_json::Value as Json;

const NUMBER: [&str; 6] = ["page", "page_number", "pagenumber", "pageindex", "page_index", "p"];
const SIZE: [&str; 9] =
    ["per_page", "perpage", "page_size", "pagesize", "limit", "size", "max_results", "maxresults", "count"];
const OFFSET: [&str; 4] = ["offset", "start", "skip", "startindex"];
const KEY: [&str; 10] = [
    "cursor",
    "page_token",
    "pagetoken",
    "next_token",
    "nexttoken",
    "after",
    "starting_after",
    "continuation",
    "paginationkey",
    "continuationtoken",
];
const NEXT_KEY: [&str; 10] = [
    "next_cursor",
    "nextcursor",
    "next_page_token",
    "nextpagetoken",
    "next_token",
    "nexttoken",
    "paginationkey",
    "cursor",
    "continuation",
    "continuationtoken",
];
const NEXT_URL: [&str; 6] = ["next", "next_url", "nexturl", "next_page_url", "nextlink", "@odata.nextlink"];
const TOTAL: [&str; 6] = ["total", "total_count", "totalcount", "totalrecords", "total_records", "totalresults"];

/// Records asked for on a page when the document names no limit.
const SIZE_WHEN_SILENT: u64 = 100;

/// A guess.
pub(crate) struct Paging {
    /// Query parameters that paging fills in, with what of `page` they take.
    pub(crate) params: Vec<(String, &'static str)>,
    lines: Vec<String>,
}

impl Paging {
    pub(crate) fn write(&self, page: &mut Page) {
        page.line("paginator:  # guessed from the names of parameters and of the answer's members");
        for line in &self.lines {
            page.line(&format!("  {line}"));
        }
    }
}

/// Guesses how the pages of a list follow each other; `None`: there is no sign of pages.
pub(crate) fn guess(call: &Call) -> Option<Paging> {
    let param = |names: &[&str]| {
        let is_one = |name: &str| names.contains(&name.to_ascii_lowercase().as_str());
        call.at("query").find(|param| is_one(&param.name))
    };
    let member = |names: &[&str]| member_of(&call.answer, names, 0);
    let size = param(&SIZE);
    let mut params: Vec<(String, &'static str)> = Vec::new();
    let mut lines = Vec::new();
    let with_size = |params: &mut Vec<(String, &'static str)>, lines: &mut Vec<String>| {
        if let Some(size) = size {
            params.push((size.name.clone(), "size"));
            let most = size.schema["maximum"].as_u64().or(size.schema["schema"]["maximum"].as_u64());
            lines.push(format!("page_size: {}", most.filter(|most| *most > 0).unwrap_or(SIZE_WHEN_SILENT)));
        }
    };
    let total = member(&TOTAL).map(|path| format!("total: {path}"));
    if let (Some(key), Some(next)) = (param(&KEY), member(&NEXT_KEY)) {
        params.push((key.name.clone(), "key"));
        lines.extend(["type: key".to_owned(), format!("from: {next}")]);
        with_size(&mut params, &mut lines);
    } else if let Some(next) = member(&NEXT_URL) {
        lines.extend(["type: next".to_owned(), format!("from: {next}")]);
        with_size(&mut params, &mut lines);
        // The first page is asked for without its number.
        params.extend(param(&NUMBER).map(|number| (number.name.clone(), "key")));
    } else if let Some(number) = param(&NUMBER) {
        let first = number.schema["default"].as_i64().or(number.schema["minimum"].as_i64()).unwrap_or(1);
        params.push((number.name.clone(), "number"));
        lines.extend(["type: page".to_owned(), format!("first_page: {first}")]);
        with_size(&mut params, &mut lines);
        lines.extend(total);
    } else if let (Some(offset), Some(_)) = (param(&OFFSET), size) {
        params.push((offset.name.clone(), "offset"));
        lines.push("type: offset".to_owned());
        with_size(&mut params, &mut lines);
        lines.extend(total);
    } else {
        return None;
    }
    Some(Paging { params, lines })
}

/// The path to a member of one of these names, at the top or within objects at the top.
fn member_of(schema: &Json, names: &[&str], depth: usize) -> Option<String> {
    let members = schema["properties"].as_object()?;
    let is_one = |name: &str| names.contains(&name.to_ascii_lowercase().as_str());
    if let Some((name, _)) = members.iter().find(|(name, one)| is_one(name) && !matches!(kind(one), "array" | "object"))
    {
        return Some(if depth == 0 { format!("$.{name}") } else { format!(".{name}") });
    }
    if depth > 0 {
        return None;
    }
    members.iter().find_map(|(name, one)| Some(format!("$.{name}{}", member_of(one, names, depth + 1)?)))
}
