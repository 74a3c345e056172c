//! A character of a scalar's value is found in the file, however the scalar was written.

use towpath_spec::document::{Scalar, Value};
use towpath_spec::source_text::Style;
use towpath_spec::{Files, Text, parse_yaml};

/// The text scalar under `a` of a document.
fn scalar(document: &str) -> (Files, Text) {
    let mut files = Files::new();
    let id = files.add("a.yaml", document);
    let tree = parse_yaml(&files, id).unwrap_or_else(|problems| panic!("{document:?}: {problems:?}"));
    let tree = tree.as_map().and_then(|map| map.get("a")).expect("key `a`");
    match &tree.value {
        Value::Scalar(Scalar::Text(text)) => (files.clone(), text.clone()),
        other => panic!("{document:?}: {other:?}"),
    }
}

/// Every `{{ word }}` and every letter of the value must be found where it is written.
#[track_caller]
fn every_letter_is_found(document: &str, value: &str) {
    let (files, text) = scalar(document);
    assert_eq!(text.value, value, "{document:?}");
    for (at, letter) in text.value.char_indices().filter(|(_, c)| c.is_alphabetic()) {
        let span = files.inside(&text, at, at + letter.len_utf8());
        let written = &document[span.start..span.end];
        let found = written == letter.to_string() || (written.starts_with('\\') && span != text.span);
        assert!(found, "byte {at} of {value:?} in {document:?} gave {written:?}");
    }
    let mut from = 0;
    while let Some(at) = text.value[from..].find("{{").map(|at| at + from) {
        let end = at + text.value[at..].find("}}").expect("closed") + 2;
        let span = files.inside(&text, at, end);
        assert!(document[span.start..span.end].starts_with("{{"), "{document:?}");
        assert!(document[span.start..span.end].ends_with("}}"), "{document:?}");
        from = end;
    }
}

#[test]
fn plain() {
    every_letter_is_found("a: foo {{ bar }}\n", "foo {{ bar }}");
    every_letter_is_found("\u{feff}a: ä {{ bär }} # no\n", "ä {{ bär }}");
    every_letter_is_found("a: one\n  two\n\n  three {{ x }}\nb: 1\n", "one two\nthree {{ x }}");
    every_letter_is_found("a: one\r\n  two\r\n", "one two");
    every_letter_is_found("x: [1]\na: !!str yes\n", "yes");
}

#[test]
fn single_quoted() {
    every_letter_is_found("a: '{{ x | replace(''u'', ''v'') }} z'\n", "{{ x | replace('u', 'v') }} z");
    every_letter_is_found("a: 'one\n  two\n\n\n  three'\n", "one two\n\nthree");
}

#[test]
fn double_quoted() {
    every_letter_is_found("a: \"\\t{{ x }}\\u00e4\\\\b\\\"c\"\n", "\t{{ x }}ä\\b\"c");
    every_letter_is_found("a: \"one\n  two\n   \\\n  three\"\n", "one two three");
    every_letter_is_found("a: \"one\\\n  two {{ x }}\"\n", "onetwo {{ x }}");
    every_letter_is_found("a: \"\\x41\\U0001F600{{ x }}\"\n", "A😀{{ x }}");
    every_letter_is_found("a: \"\\ud83d\\ude00{{ x }}\"\n", "😀{{ x }}");
}

#[test]
fn block() {
    every_letter_is_found("a: |\n  one {{ x }}\n    two\n\n  three\nb: 1\n", "one {{ x }}\n  two\n\nthree\n");
    every_letter_is_found("a: |-\n  one\n  two", "one\ntwo");
    every_letter_is_found("a: |2\n     one\n   two\n", "   one\n two\n");
    every_letter_is_found(
        "a: >\n  one\n  two\n\n  three\n\n\n  four\n    five\n  six\n",
        "one two\nthree\n\nfour\n  five\nsix\n",
    );
    every_letter_is_found("a: |+\n\n\n  one\n\n\nb: 1\n", "\n\none\n\n\n");
    every_letter_is_found("a: |\n \n  \n  one {{ x }}\n", "\n\none {{ x }}\n");
    every_letter_is_found("a: |\r\n  one\r\n  two\r\n", "one\ntwo\n");
    every_letter_is_found("x:\n  - y:\n      z\na: |  # comment\n    one\n    {{ x }}\n", "one\n{{ x }}\n");
}

#[test]
fn block_indentation_is_known() {
    let (_, text) = scalar("a: |\n    one\n");
    assert_eq!(text.style, Style::Block { indent: 4 });
}

#[test]
fn text_that_came_from_nowhere_gives_its_whole_span() {
    let (files, mut text) = scalar("a: foo\n");
    text.value = "something else".into();
    assert_eq!(files.inside(&text, 2, 4), text.span);
    assert_eq!(files.inside(&text, 2, 4000), text.span);
}

/// Text of a few lines, as a scalar of each style under the key `a`.
fn written_in_every_style(value: &str) -> Vec<String> {
    let single = value.replace('\'', "''").replace('\n', "\n\n  ");
    let double: String = value
        .chars()
        .map(|c| match c {
            '"' | '\\' => format!("\\{c}"),
            '\n' => "\\n\\\n   ".to_owned(),
            'é' => "\\xe9".to_owned(),
            '😀' => "\\ud83d\\ude00".to_owned(),
            c => c.to_string(),
        })
        .collect();
    let block = value.replace('\n', "\n    ");
    let folded = value.replace('\n', "\n\n    ");
    vec![
        format!("b: 1\na: '{single}'\n"),
        format!("a: \"{double}\"\nb: 1\n"),
        format!("a: |-\n    {block}\nb: 1\n"),
        format!("b:\n  - 1\na: >-\n    {folded}\n"),
        format!("a: |-\r\n    {}\r\n", block.replace('\n', "\r\n")),
    ]
}

proptest::proptest! {
    /// Lines start and end with a letter: space at either end is not kept by every style.
    #[test]
    fn every_character_is_found_in_every_style(value in "[a-zé😀]([a-zé😀'\"\\\\{}| :#]{0,8}[a-zé😀])?(\n[a-zé😀]([a-zé😀'\"\\\\{}| :#]{0,8}[a-zé😀])?){0,3}") {
        for document in written_in_every_style(&value) {
            let (files, text) = scalar(&document);
            proptest::prop_assert_eq!(&text.value, &value, "{:?}", document);
            let mut last = text.span.start;
            for (at, c) in value.char_indices() {
                let span = files.inside(&text, at, at + c.len_utf8());
                let raw = &document[span.start..span.end];
                let found = match c {
                    '\n' => raw.contains('\n') || raw == "\\n",
                    '\'' => raw == "'" || raw == "''",
                    _ => raw == c.to_string() || raw.starts_with('\\'),
                };
                proptest::prop_assert!(found && span.start >= last, "{:?} at {} of {:?} gave {:?}", c, at, document, raw);
                last = span.end;
            }
        }
    }
}
