//! Holds the tables to the decoder.

use super::documents::{PIPELINE, PROJECT};
use super::page::{QUANTITIES, TYPES};
use super::steps::STEP_ENTRIES;
use super::{Entry, Example, Need, markdown};
use crate::decode::trace::{self, Asked};
use crate::definition::decode_definition;
use crate::document::{STEPS, read_pipeline, read_project};
use crate::types::{TYPE_NAMES, Type};
use crate::{Diagnostic, Files, parse_yaml, quantity, render_human};
use std::collections::{BTreeMap, BTreeSet};

fn problems(text: &str, is_project: bool) -> (Files, Vec<Diagnostic>) {
    let mut files = Files::new();
    let id = files.add("example.yaml", text);
    let problems = if is_project { read_project(&files, id).1 } else { read_pipeline(&files, id).1 };
    (files, problems)
}

fn in_pipeline(text: &str) -> String {
    let sources = if text.contains("sources:") { "" } else { "sources: {}\n" };
    format!("version: 1\npipeline: example\n{sources}{text}")
}

fn in_transform(step: &str) -> String {
    let step: String = step.lines().map(|line| format!("      {line}\n")).collect();
    in_pipeline(&format!("transforms:\n  example:\n    input: a\n    steps:\n{step}"))
}

/// Every example as a whole document, and whether it is a project.
fn examples() -> Vec<(String, bool)> {
    let mappings = PIPELINE.iter().chain(PROJECT).map(|mapping| match mapping.example {
        Example::Pipeline(text) => (text.to_owned(), false),
        Example::InPipeline(text) => (in_pipeline(text), false),
        Example::Project(text) => (text.to_owned(), true),
        Example::InProject(text) => (format!("version: 1\nproject: example\n{text}"), true),
    });
    let steps = STEP_ENTRIES.iter().map(|step| (in_transform(step.example), false));
    mappings.chain(steps).collect()
}

#[test]
fn every_example_is_valid() {
    for (text, is_project) in examples() {
        let (files, problems) = problems(&text, is_project);
        assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
    }
}

/// What keys of a definition begin with, and keys of no pipeline.
const DEFINITION_KEYS: [&str; 6] = ["config:", "auth:", "defaults:", "check:", "streams:", "operations:"];

/// The YAML of the guides, as whole documents: files as they are, keys of a file and steps put into one.
fn yaml_of_guides() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide");
    let guides = std::fs::read_dir(&folder).expect("the guides").map(|entry| entry.expect("a guide").path());
    let texts = guides.map(|path| std::fs::read_to_string(path).expect("a guide in UTF-8"));
    let blocks = texts.flat_map(|text| {
        let blocks = text.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
        blocks.map(str::to_owned).collect::<Vec<_>>()
    });
    let whole = blocks.map(|block| match block {
        block if block.starts_with("version:") => block,
        block if block.starts_with("- ") => in_transform(&block),
        block if DEFINITION_KEYS.iter().any(|key| block.starts_with(key)) => {
            format!("version: 1\nconnector: example\n{block}")
        }
        block => in_pipeline(&block),
    });
    whole.collect()
}

#[test]
fn the_yaml_of_the_guides_is_valid() {
    let all = yaml_of_guides();
    assert!(all.len() > 3, "the guides show YAML");
    let (definitions, documents): (Vec<_>, Vec<_>) = all.into_iter().partition(|text| is_definition(text));
    assert!(!definitions.is_empty(), "a guide shows a definition");
    for text in documents {
        let (files, problems) = problems(&text, text.contains("\nproject:"));
        assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
    }
    definitions.iter().for_each(|text| valid_definition(text));
}

fn is_definition(text: &str) -> bool {
    text.contains("\nconnector: ")
}

fn valid_definition(text: &str) {
    let mut files = Files::new();
    let id = files.add("definition.yaml", text);
    let mut problems = Vec::new();
    match parse_yaml(&files, id) {
        Ok(tree) => drop(decode_definition(id, &tree, &mut problems)),
        Err(found) => problems.extend(found),
    }
    assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
}

/// The mapping of a definition a guide's table calls by this name, from what the decoder calls it.
fn in_the_table(what: &str) -> &str {
    match what {
        "a parameter" | "a field" => "setting",
        "a part of a multipart body" => "file part",
        "`error_handler`" => "error handler",
        what => {
            what.split(" `").next().unwrap_or(what).trim_start_matches("a ").trim_start_matches("an ").trim_matches('`')
        }
    }
}

/// The keys of definitions, and the required ones, by mapping, as the decoder asks for them.
fn keys_of_definitions() -> BTreeSet<(String, String, bool)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/definitions");
    let built_in = std::fs::read_dir(&folder).expect("the definitions").map(|entry| entry.expect("one").path());
    let built_in = built_in.filter(|path| path.is_file());
    let built_in = built_in.map(|path| std::fs::read_to_string(path).expect("a definition in UTF-8"));
    let guides = yaml_of_guides().into_iter().filter(|text| is_definition(text));
    trace::take();
    built_in.chain(guides).for_each(|text| valid_definition(&text));
    let mut all: BTreeMap<(String, String), bool> = BTreeMap::new();
    for asked in trace::take() {
        for key in &asked.keys {
            let of = (in_the_table(&asked.what).to_owned(), key.clone());
            *all.entry(of).or_default() |= asked.required.contains(key);
        }
    }
    all.into_iter().map(|((mapping, key), required)| (mapping, key, required)).collect()
}

#[test]
fn the_guide_has_all_keys_of_a_definition() {
    let guide = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/connectors.md");
    let guide = std::fs::read_to_string(guide).expect("the guide to connectors");
    let (_, table) = guide.split_once("## All keys").expect("the table of all keys");
    let rows = table.lines().filter(|line| line.contains("`") && line.starts_with('|'));
    let written: BTreeSet<(String, String, bool)> = rows
        .filter_map(|row| {
            let mut cells = row.split('|').skip(1).map(str::trim);
            let (mapping, key) = (cells.next()?, cells.next()?);
            Some((mapping.to_owned(), key.trim_matches('*').trim_matches('`').to_owned(), key.starts_with("**")))
        })
        .collect();
    assert_eq!(written, keys_of_definitions());
}

/// What the decoder asked for over all examples, by what it calls the mapping without its name.
fn asked() -> BTreeMap<String, Asked> {
    trace::take();
    for (text, is_project) in examples() {
        problems(&text, is_project);
    }
    let mut all: BTreeMap<String, Asked> = BTreeMap::new();
    for asked in trace::take() {
        let named = asked.what.starts_with("the ") && !asked.what.starts_with("the step ");
        let kind = if named { asked.what.split(" `").next().unwrap_or_default() } else { &asked.what };
        let known = all.entry(kind.to_owned()).or_default();
        known.keys.extend(asked.keys);
        known.required.extend(asked.required);
        known.one_of.extend(asked.one_of);
        known.rest |= asked.rest;
    }
    all
}

fn names(entries: &[Entry], which: impl Fn(&Need) -> bool) -> BTreeSet<String> {
    entries.iter().filter(|entry| which(&entry.need)).map(|entry| entry.key.to_owned()).collect()
}

fn compare(reader: &str, entries: &[Entry], rest: bool, asked: &Asked) {
    assert_eq!(names(entries, |_| true), asked.keys, "keys of {reader}");
    let required = names(entries, |need| matches!(need, Need::Required | Need::RequiredBut(_)));
    assert_eq!(required, asked.required, "required keys of {reader}");
    let one_of = names(entries, |need| matches!(need, Need::OneOf));
    assert_eq!(one_of, asked.one_of, "keys of {reader} of which one is required");
    assert_eq!(rest, asked.rest, "whether {reader} has other keys");
}

#[test]
fn the_keys_are_those_the_decoder_asks_for() {
    let mut asked = asked();
    for mapping in PIPELINE.iter().chain(PROJECT) {
        let found = asked.remove(mapping.reader).unwrap_or_else(|| panic!("{} is not read", mapping.reader));
        compare(mapping.reader, mapping.entries, mapping.others.is_some(), &found);
        for later in mapping.later {
            assert!(!found.keys.contains(later.key), "`{}` of {} is read here", later.key, mapping.reader);
        }
    }
    for keys in STEP_ENTRIES.iter().filter_map(|step| step.keys.as_ref()) {
        let found = asked.remove(keys.reader).unwrap_or_else(|| panic!("{} is not read", keys.reader));
        compare(keys.reader, keys.entries, false, &found);
    }
    assert_eq!(asked.keys().collect::<Vec<_>>(), Vec::<&String>::new(), "mappings without a table");
}

#[test]
fn the_steps_are_those_of_the_language() {
    assert_eq!(STEP_ENTRIES.iter().map(|step| step.name).collect::<Vec<_>>(), STEPS);
}

/// A document with a word in the place of a choice, and the table's list of words.
fn choices() -> Vec<(&'static str, String, &'static [Entry])> {
    let step = |name: &str| {
        let found = STEP_ENTRIES.iter().find(|step| step.name == name).and_then(|step| step.keys.as_ref());
        found.map_or(&[] as &[Entry], |keys| keys.entries)
    };
    let shared = |title: &str| {
        PIPELINE.iter().find(|mapping| mapping.title == title).map_or(&[] as &[Entry], |mapping| mapping.entries)
    };
    let sink = shared("Sink");
    vec![
        ("how", in_transform("- join: {with: b, on: a, how: WORD}"), step("join")),
        ("validate", in_transform("- join: {with: b, on: a, validate: WORD}"), step("join")),
        ("direction", in_transform("- join: {with: b, how: asof, asof: {at: a, direction: WORD}}"), shared("Asof")),
        ("nulls", in_transform("- sort: {column: a, nulls: WORD}"), shared("Sort key")),
        ("else", in_transform("- pivot: {on: a, values: [b], take: count(), else: WORD}"), step("pivot")),
        ("keep", in_transform("- distinct: {keep: WORD}"), step("distinct")),
        ("missing", in_transform("- lookup: {connection: a, stream: b, take: {a: b}, missing: WORD}"), step("lookup")),
        ("else", in_transform("- check: {name: a, expect: b, else: WORD}"), step("check")),
        ("on_error", in_pipeline("sinks: {a: {input: b, connection: c, on_error: WORD}}\n"), sink),
    ]
}

#[test]
fn the_words_of_a_choice_are_those_the_decoder_takes() {
    for (key, document, entries) in choices() {
        let ty = entries.iter().find(|entry| entry.key == key).map_or("", |entry| entry.ty);
        let words: BTreeSet<&str> = ty.split('`').skip(1).step_by(2).collect();
        for word in &words {
            let text = match *word {
                "cross" => document.replace("on: a, how: WORD", "how: cross"),
                "asof" => document.replace("how: WORD", "how: asof, asof: {at: c}"),
                _ => document.clone(),
            };
            let (files, problems) = problems(&text.replace("WORD", word), false);
            assert!(problems.is_empty(), "{}", render_human(&files, &problems, false));
        }
        let (_, problems) = problems(&document.replace("WORD", "zzz"), false);
        let expected = problems[0].message.split(", found").next().unwrap_or_default();
        // Before the words stands the key itself.
        let said: BTreeSet<&str> = expected.split('`').skip(3).step_by(2).collect();
        assert_eq!(words, said, "{key}: {expected}");
    }
}

#[test]
fn the_types_and_quantities_are_those_of_the_language() {
    assert_eq!(TYPES.iter().map(|(name, ..)| *name).collect::<Vec<_>>(), TYPE_NAMES);
    for written in TYPES.iter().flat_map(|(_, written, _)| written.split('`').skip(1).step_by(2)) {
        assert!(Type::parse(written).is_ok(), "{written}");
    }
    for (name, examples, _) in QUANTITIES {
        for written in *examples {
            let read = match *name {
                "duration" => quantity::parse_duration(written).map(|_| ()),
                "size" => quantity::parse_bytes(written).map(|_| ()),
                "rate" => quantity::parse_rate(written).map(|_| ()),
                other => Err(format!("unknown quantity {other}")),
            };
            assert_eq!(read, Ok(()), "{written}");
        }
    }
}

#[test]
fn no_cell_of_a_table_breaks_it_and_every_link_leads_somewhere() {
    let page = markdown();
    let anchors: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    for link in page.split("](#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(anchors.contains(link), "#{link}");
    }
    let mut columns = None;
    for line in page.lines() {
        let bars = line.starts_with('|').then(|| line.matches('|').count());
        if let (Some(before), Some(now)) = (columns, bars) {
            assert_eq!(before, now, "{line}");
        }
        columns = bars;
    }
}
