//! Files that are large, long, or mean.

use crate::source::{read, settings};
use serde_json::json;
use std::fmt::Write;

#[test]
fn a_field_of_fifty_megabytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = format!("{} \"\"quoted\"\", and more\n", "x".repeat(1_000_000));
    let long = line.repeat(50);
    std::fs::write(folder.path().join("a.csv"), format!("a,b\n1,\"{long}\"\n2,x\n")).expect("a file");
    let expected = long.len() - 2 * 50;
    for on_ragged in ["fail", "reject"] {
        let given = settings(json!({"path": "a.csv", "on_ragged": on_ragged}));
        let found = read("csv", folder.path(), &given, &[]).expect("it is valid");
        let lengths: Vec<_> = found.rows.iter().map(|row| row["b"].as_str().map(str::len)).collect();
        assert_eq!(lengths, [Some(expected), Some(1)], "{on_ragged}");
        assert_eq!(found.scanned, on_ragged == "fail");
    }
}

#[test]
fn a_flaw_far_behind_the_sample_is_found_though_only_another_column_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::from("a,b,c\n");
    let long = "x".repeat(10_000);
    for row in 0..2_000 {
        writeln!(text, "{row},{long},y").expect("in memory");
    }
    for (tail, expected) in [
        ("1,2\n", "line 2002: 2 fields, expected 3"),
        ("1,2,3,4\n", "line 2002: 4 fields, expected 3"),
        ("1,2,3\n\n1,2,3\n", "line 2003: an empty line"),
        ("1,2,3\n1,x\"y,3\n", "line 2003: a quote in the middle"),
    ] {
        std::fs::write(folder.path().join("a.csv"), format!("{text}{tail}")).expect("a file");
        let given = settings(json!({"path": "a.csv"}));
        let error = narrow(folder.path(), &given).expect_err(expected);
        // Polars itself may stumble over a quote first, but says so too.
        assert!(error.contains(expected) || error.contains("CSV malformed"), "{error}");
    }
    std::fs::write(folder.path().join("a.csv"), &text).expect("a file");
    assert_eq!(narrow(folder.path(), &settings(json!({"path": "a.csv"}))), Ok(2_000));
}

/// The rows of a scan of which one column is wanted, so that Polars does not look at the others.
fn narrow(base: &std::path::Path, given: &towpath_connector::Settings) -> Result<usize, String> {
    use polars::prelude::{Engine, col};
    let none = towpath_connector::Settings::default();
    let reader = crate::source::connector("csv").reader(&crate::source::connect(base)).expect("a reader");
    let ask = towpath_connector::SourceAsk { stream: None, connection: &none, settings: given, columns: &[], base };
    match reader.source(&ask, None) {
        Ok(towpath_connector::Source::Scan(scan)) => {
            scan.check.map_or(Ok(()), |check| check()).map_err(|error| error.to_string())?;
            let found = scan.frame.select([col("a")]).collect_with_engine(Engine::Streaming);
            found.map(|found| found.unwrap_single().height()).map_err(|error| error.to_string())
        }
        Ok(towpath_connector::Source::Extract(_)) => Err("it is no scan".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn batches_hold_all_rows_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut csv, mut lines, mut xml) = (String::from("n\n"), String::new(), String::from("<r>"));
    for row in 0..120_001 {
        writeln!(csv, "{row}").expect("in memory");
        writeln!(lines, "{{\"n\":{row}}}").expect("in memory");
        write!(xml, "<v>{row}</v>").expect("in memory");
    }
    xml.push_str("</r>");
    for (name, text) in [("a.csv", csv), ("a.jsonl", lines), ("a.xml", xml)] {
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    for (connector, given) in [
        ("csv", json!({"path": "a.csv"})),
        ("csv", json!({"path": "a.csv", "on_ragged": "reject"})),
        ("json", json!({"path": "a.jsonl"})),
        ("xml", json!({"path": "a.xml", "records": "/r/v", "fields": {"n": "."}})),
    ] {
        let found = read(connector, folder.path(), &settings(given), &[]).expect(connector);
        assert_eq!(found.rows.len(), 120_001, "{connector}");
        assert!((0..).zip(&found.rows).all(|(at, row)| row["n"] == json!(at)), "{connector}");
    }
}
