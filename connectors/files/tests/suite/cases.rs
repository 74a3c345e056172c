//! The cases under `tests/cases`: files and settings in, rows, rejects, warnings and errors out.

use crate::source::{describe, read, settings};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use towpath_connector::Problem;
use towpath_spec::{Field, Type};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    connector: String,
    #[serde(default)]
    files: BTreeMap<String, Content>,
    settings: Json,
    #[serde(default)]
    columns: Map<String, Json>,
    /// `name: type, …` as described.
    schema: Option<String>,
    /// Whether Polars is to scan it.
    scanned: Option<bool>,
    rows: Option<Vec<Map<String, Json>>>,
    /// A part of each reason.
    #[serde(default)]
    rejects: Vec<String>,
    /// A part of each warning.
    #[serde(default)]
    warnings: Vec<String>,
    /// Parts of the error, of the check or of the run.
    #[serde(default)]
    error: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Packed { gzip: Option<String>, zstd: Option<String>, encoding: Option<(String, String)>, bytes: Option<Vec<u8>> },
}

impl Content {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Packed { gzip: Some(text), .. } => {
                let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                out.write_all(text.as_bytes()).expect("in memory");
                out.finish().expect("in memory")
            }
            Self::Packed { zstd: Some(text), .. } => zstd::encode_all(text.as_bytes(), 1).expect("in memory"),
            Self::Packed { encoding: Some((label, text)), .. } => {
                let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).expect("an encoding");
                if encoding == encoding_rs::UTF_16LE {
                    return text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                }
                encoding.encode(text).0.into_owned()
            }
            Self::Packed { bytes, .. } => bytes.clone().unwrap_or_default(),
        }
    }
}

fn said(problems: &[Problem]) -> String {
    let one = |problem: &Problem| format!("{} ({})", problem.message, problem.help.as_deref().unwrap_or_default());
    problems.iter().map(one).collect::<Vec<_>>().join("; ")
}

fn run(case: &Case) -> Result<(), String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, content) in &case.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it has one")).expect("a folder");
        std::fs::write(path, content.bytes()).expect("a file");
    }
    check(case, folder.path())
}

fn check(case: &Case, base: &Path) -> Result<(), String> {
    let given = settings(case.settings.clone());
    let column =
        |(name, ty): (&String, &Json)| Field::new(name, Type::parse(ty.as_str().unwrap_or_default()).expect("a type"));
    let columns: Vec<Field> = case.columns.iter().map(column).collect();
    let mut error = String::new();
    match describe(&case.connector, base, &given, &columns) {
        Ok(described) => {
            let warned = said(&described.warnings);
            if described.warnings.len() != case.warnings.len()
                || !case.warnings.iter().all(|part| warned.contains(part))
            {
                return Err(format!("warnings: expected {:?}, found {warned}", case.warnings));
            }
            let shown = described.schema.map(|schema| {
                let one = |field: &Field| format!("{}: {}", field.name, field.ty);
                schema.fields.iter().map(one).collect::<Vec<_>>().join(", ")
            });
            if let Some(expected) = &case.schema
                && shown.as_ref() != Some(expected)
            {
                return Err(format!("schema: expected {expected}, found {shown:?}"));
            }
        }
        Err(problems) => error = said(&problems),
    }
    if error.is_empty() {
        match read(&case.connector, base, &given, &columns) {
            Err(failed) => error = format!("{} ({})", failed.message, failed.help.unwrap_or_default()),
            Ok(read) => {
                if let Some(expected) = case.scanned
                    && expected != read.scanned
                {
                    return Err(format!("scanned: {}", read.scanned));
                }
                if let Some(rows) = &case.rows
                    && *rows != read.rows
                {
                    let (rows, found) = (serde_json::json!(rows), serde_json::json!(read.rows));
                    return Err(format!("rows\n  expected {rows}\n  found    {found}\n  rejects {:?}", read.rejects));
                }
                let reasons: Vec<&str> = read.rejects.iter().map(|reject| reject.reason.as_str()).collect();
                let same = reasons.len() == case.rejects.len();
                if !same || !reasons.iter().zip(&case.rejects).all(|(reason, part)| reason.contains(part.as_str())) {
                    return Err(format!("rejects: expected {:?}, found {reasons:?}", case.rejects));
                }
            }
        }
    }
    let missing: Vec<&String> = case.error.iter().filter(|part| !error.contains(part.as_str())).collect();
    if !missing.is_empty() || (case.error.is_empty() && !error.is_empty()) {
        return Err(format!("error: expected {:?}, found {error:?}", case.error));
    }
    Ok(())
}

#[test]
fn every_case_holds() {
    let mut failures = Vec::new();
    let mut count = 0;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    for file in std::fs::read_dir(folder).expect("the cases") {
        let path = file.expect("a file").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        let cases: Vec<Case> =
            serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in cases {
            count += 1;
            if let Err(why) = run(&case) {
                failures.push(format!("{}: {}\n  {why}", path.display(), case.name));
            }
        }
    }
    assert!(count > 50, "only {count} cases were found");
    assert!(failures.is_empty(), "{} of {count} cases failed\n{}", failures.len(), failures.join("\n"));
}
