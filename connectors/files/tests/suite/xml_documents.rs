//! Documents as they are met in the wild, and hostile ones.

use polars::prelude::{AnyValue, DataFrame};
use std::io::BufReader;
use std::sync::Arc;
use towpath_files::xml::{Limits, Records, Selector, XmlError, XmlErrorKind};
use towpath_spec::Type;

fn read(xml: &[u8], records: &str, fields: &[&str]) -> Result<Vec<DataFrame>, XmlError> {
    read_within(xml, records, fields, Limits::default())
}

fn read_within(xml: &[u8], records: &str, fields: &[&str], limits: Limits) -> Result<Vec<DataFrame>, XmlError> {
    let fields: Vec<_> = fields.iter().map(|field| ((*field).to_owned(), (*field).to_owned(), Type::Text)).collect();
    let selector = Arc::new(Selector::compile(records, &fields).expect("a valid selector"));
    let mut records = Records::new(selector, BufReader::new(xml), limits);
    let mut frames = Vec::new();
    while let Some(batch) = records.next_batch(1000)? {
        frames.push(batch.frame);
    }
    Ok(frames)
}

fn cells(frames: &[DataFrame]) -> Vec<Vec<Option<String>>> {
    let text = |value: AnyValue<'_>| value.get_str().map(str::to_owned);
    let row =
        |frame: &DataFrame, at: usize| frame.columns().iter().map(|c| text(c.get(at).expect("in range"))).collect();
    frames.iter().flat_map(|frame| (0..frame.height()).map(|at| row(frame, at)).collect::<Vec<_>>()).collect()
}

fn kind(xml: &[u8], records: &str, fields: &[&str]) -> XmlErrorKind {
    read(xml, records, fields).expect_err("an error").kind
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nested_training_records_are_rows_with_their_parent() {
    let xml = br#"<?xml version="1.0"?>
        <h:trainingHistory xmlns:h="urn:h"><dateCreated>2026-01-01</dateCreated>
          <h:trainingRecord id="1"><userId>u&amp;1</userId><learningModule><title><![CDATA[A < B]]></title></learningModule>
            <surprise><deep>ignored</deep></surprise>
            <h:trainingRecord id="2"><userId>u1</userId><learningModule><title>C</title></learningModule></h:trainingRecord>
          </h:trainingRecord>
          <h:trainingRecord id="3"><userId/></h:trainingRecord>
        </h:trainingHistory>"#;
    let fields = ["@id", "userId", "learningModule/title", "^@id", "../@id", "^/userId", "../dateCreated"];
    let found = cells(&read(xml, "//trainingRecord", &fields).expect("well-formed"));
    let day = || some("2026-01-01");
    assert_eq!(
        found,
        [
            vec![some("2"), some("u1"), some("C"), some("1"), some("1"), some("u&1"), None],
            vec![some("1"), some("u&1"), some("A < B"), None, None, None, day()],
            vec![some("3"), None, None, None, None, None, day()],
        ]
    );
}

#[test]
fn a_value_after_its_record_is_an_error_not_a_null() {
    let xml = b"<a><b><x/></b><late>1</late></a>";
    assert_eq!(kind(xml, "/a/b", &["../late"]), XmlErrorKind::Late);
    assert!(read(xml, "/a/b", &["x"]).is_ok());
}

#[test]
fn encodings_are_honoured() {
    let text = "<?xml version=\"1.0\" encoding=\"NAME\"?><r><v>Zo\u{eb}</v></r>";
    let latin = encoding_rs::WINDOWS_1252.encode(text).0.replace_name("iso-8859-1");
    assert_eq!(cells(&read(&latin, "//v", &["."]).expect("latin 1")), [[some("Zo\u{eb}")]]);
    for (mark, little) in [([0xff, 0xfe], true), ([0xfe, 0xff], false)] {
        let mut bytes = mark.to_vec();
        for unit in text.encode_utf16() {
            bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
        }
        assert_eq!(cells(&read(&bytes, "//v", &["."]).expect("utf-16")), [[some("Zo\u{eb}")]]);
        assert_eq!(cells(&read(&bytes[2..], "//v", &["."]).expect("no mark")), [[some("Zo\u{eb}")]]);
    }
    let marked = ["\u{feff}", &text.replace("NAME", "utf-8")].concat();
    assert_eq!(cells(&read(marked.as_bytes(), "//v", &["."]).expect("marked")), [[some("Zo\u{eb}")]]);
    assert_eq!(kind(text.as_bytes(), "//v", &["."]), XmlErrorKind::Encoding);
    assert_eq!(kind(b"<r><v>\xff\xfe</v></r>", "//v", &["."]), XmlErrorKind::Encoding);
}

trait ReplaceName {
    fn replace_name(&self, name: &str) -> Vec<u8>;
}

impl ReplaceName for [u8] {
    fn replace_name(&self, name: &str) -> Vec<u8> {
        let at = self.windows(4).position(|four| four == b"NAME").expect("a declaration");
        [&self[..at], name.as_bytes(), &self[at + 4..]].concat()
    }
}

#[test]
fn entities_of_a_dtd_are_never_expanded() {
    let bomb = br#"<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]><r><v>&c;</v></r>"#;
    assert_eq!(kind(bomb, "//v", &["."]), XmlErrorKind::Entity);
    assert_eq!(kind(bomb, "//nothing", &["."]), XmlErrorKind::Entity);
    let file = br#"<!DOCTYPE r [<!ENTITY f SYSTEM "file:///etc/passwd">]><r><v a="&f;"/></r>"#;
    assert_eq!(kind(file, "//v", &["@a"]), XmlErrorKind::Entity);
}

#[test]
fn what_is_no_xml_is_refused() {
    for (xml, expected) in [
        (&b""[..], XmlErrorKind::Truncated),
        (b"   ", XmlErrorKind::Truncated),
        (b"<r><v>1</v>", XmlErrorKind::Truncated),
        (b"<r><v>1</v></r", XmlErrorKind::Truncated),
        (b"<r><v>1</r>", XmlErrorKind::Malformed),
        (b"<r><v>1</v></r><r/>", XmlErrorKind::Malformed),
        (b"<r/>rest", XmlErrorKind::Malformed),
        (b"not xml", XmlErrorKind::Malformed),
        (b"<r><v>a & b</v></r>", XmlErrorKind::Malformed),
        (b"<r><v>&#0;</v></r>", XmlErrorKind::Malformed),
    ] {
        assert_eq!(kind(xml, "//v", &["."]), expected, "{}", String::from_utf8_lossy(xml));
    }
    assert_eq!(kind(b"<html><body/></html>", "/r/v", &["."]), XmlErrorKind::Root);
}

#[test]
fn an_error_says_where() {
    let error = read(b"<r><v>1</v><v>2</r>", "//v", &["."]).expect_err("mismatch");
    assert_eq!(error.byte_offset, 15, "{error}");
}

#[test]
fn depth_and_length_have_limits() {
    let limits = Limits { max_value: 100, max_depth: 10, batch_bytes: 50, ..Limits::default() };
    let deep = "<a>".repeat(20);
    let long = format!("<r><v>{}</v></r>", "x".repeat(200));
    let pieces = format!("<r><v>{}</v></r>", "x&amp;".repeat(200));
    for xml in [deep, long, pieces] {
        let error = read_within(xml.as_bytes(), "//v", &["."], limits).expect_err("beyond the limits");
        assert_eq!(error.kind, XmlErrorKind::Limit, "{error}");
    }
    let many = format!("<r>{}</r>", format!("<v>{}</v>", "x".repeat(30)).repeat(6));
    let frames = read_within(many.as_bytes(), "//v", &["."], limits).expect("each is short enough");
    assert_eq!(frames.iter().map(DataFrame::height).collect::<Vec<_>>(), [2, 2, 2]);
}

#[test]
fn line_ends_are_normal() {
    let found = cells(&read(b"<r><v>a\r\nb\rc</v></r>", "//v", &["."]).expect("well-formed"));
    assert_eq!(found, [[some("a\nb\nc")]]);
}

#[test]
fn selectors_are_checked() {
    let fields = |written: &str, ty: Type| vec![("f".to_owned(), written.to_owned(), ty)];
    for (records, written, ty) in [
        ("record", "a", Type::Text),
        ("/a//", "a", Type::Text),
        ("/a", "//b", Type::Text),
        ("/a", "b/../c", Type::Text),
        ("/a", "..", Type::Text),
        ("/a", "@a/b", Type::Text),
        ("/a", "b c", Type::Text),
        ("/a", "", Type::Text),
        ("/a", "b[]", Type::Int),
    ] {
        let problems = Selector::compile(records, &fields(written, ty)).expect_err(written);
        assert_eq!(problems.len(), 1, "{records} {written}: {problems:?}");
    }
}
