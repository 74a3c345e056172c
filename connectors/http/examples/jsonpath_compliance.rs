//! Runs the compliance suite of JSONPath (RFC 9535) against the selector that definitions use.
//!
//! `cargo run -p towpath-http --example jsonpath_compliance -- cts.json`, where `cts.json` is that of
//! <https://github.com/jsonpath-standard/jsonpath-compliance-test-suite>. Prints each case that is not passed and the rate;
//! ends with 1 when a path was answered with other values than the suite's, which must not be. A path that is refused
//! where the suite wants an answer counts as not passed.

use serde_json::Value as Json;
use std::process::ExitCode;
use towpath_http::JsonPath;
use towpath_spec::{Span, Text};

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1) else {
        eprintln!("error: expected the path of `cts.json`");
        return ExitCode::from(2);
    };
    let read = std::fs::read(&path).map_err(|error| error.to_string());
    let suite: Json = match read.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string())) {
        Ok(suite) => suite,
        Err(error) => {
            eprintln!("error: {path}: {error}");
            return ExitCode::from(2);
        }
    };
    let cases: Vec<&Json> = suite["tests"].as_array().into_iter().flatten().collect();
    let (mut refused, mut wrong) = (0, 0);
    for case in &cases {
        let selector = case["selector"].as_str().unwrap_or_default();
        match (JsonPath::parse(&Text::new(selector, Span::default())), case["invalid_selector"] == true) {
            (Err(_), true) => {}
            (Err(problem), false) => {
                refused += 1;
                println!("refused: {}: {}", case["name"], problem.message);
            }
            (Ok(_), true) => {
                wrong += 1;
                println!("taken, but not valid: {}: {selector}", case["name"]);
            }
            (Ok(path), false) => {
                let found: Json = path.all(&case["document"]).into_iter().cloned().collect();
                let one_of = case["results"].as_array();
                if found != case["result"] && !one_of.is_some_and(|results| results.contains(&found)) {
                    wrong += 1;
                    println!("wrong: {}: {selector} gave {found}", case["name"]);
                }
            }
        }
    }
    println!("{} of {} passed, {refused} refused, {wrong} wrong", cases.len() - refused - wrong, cases.len());
    ExitCode::from(u8::from(wrong > 0))
}
