//! What a document says does not depend on how much of it is looked at at a time, and it is what the parser says that
//! sees the whole of it at once.

use polars::prelude::AnyValue;
use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::{BufReader, Error, Read};
use std::sync::Arc;
use towpath_files::xml::{Limits, Records, Selector, XmlError, XmlErrorKind};
use towpath_spec::Type;

/// Documents with everything in them that can be cut at a wrong place.
const DOCUMENTS: &[&str] = &[
    "<?xml version=\"1.0\"?>\n<r><v>plain</v><v/><v ></v ><v\n a = '1'\n/></r>\n",
    "<r><v><![CDATA[a]]>b<![CDATA[]] > ]>]]]><![CDATA[]]></v><![CDATA[x > y && z]]></r>",
    "<r><!-- <v>no</v> -- > --><v>a<!---->b<!-- > ' \" & --></v><!--é--></r><!-- end -->",
    "<r><v a=\"x > y\" b='</v>' c=\"it's\" d='\"'>1</v><v a=\"&#233;&amp;&lt;\r\n\"/></r>",
    "<?pi?><r><?pi a > b ?><v>a<?x ? ?>b</v></r><??>",
    "<!DOCTYPE r [<!ENTITY e \"<v>]></v>\"><!-- ]> --><!ELEMENT r (v)*>]><r><v>1</v></r>",
    "<!DOCTYPE r SYSTEM \"a>b\"><r><v>&e;</v></r>",
    "<r><v>\r\n\r\r\n</v>\r\n<v>a\rb\r\n</v><v>&#13;\n&#xA;</v></r>\r\n",
    "<r><v>Zoë 日本 🦀</v><ü:v>é</ü:v><v>&lt;é&gt;&#128640;</v></r>",
    "<r><v>&#xD800;</v></r>",
    "<r><v>a & b</v></r>",
    "<r><v>a &b<i/>;</v></r>",
    "<r><v>1</v><w>2</v></r>",
    "<r><v></ v></r>",
    "<r></r></r>",
    "<r/><r/>",
    "<r/> x",
    "<r><v>\u{feff}a</v>\u{feff}</r>",
    "<r><!ELEMENT></r>",
    "<r><!></r>",
    "<r><></></r>",
    "<r><v a='1'' b=\">\"></v></r>",
    "</r>",
];

/// How a document was read: its records' texts, and what was wrong.
type Outcome = (Vec<Option<String>>, Option<(XmlErrorKind, u64, String)>);

fn outcome(document: impl Read, limits: Limits, piece: usize) -> Outcome {
    let fields = [("text".to_owned(), ".".to_owned(), Type::Text)];
    let selector = Selector::compile("//*", &fields).expect("a valid selector");
    let mut records = Records::new(Arc::new(selector), BufReader::with_capacity(piece, document), limits);
    let mut texts = Vec::new();
    loop {
        match records.next_batch(1) {
            Ok(None) => return (texts, None),
            Ok(Some(batch)) => match batch.frame[0].get(0).expect("one row") {
                AnyValue::Null => texts.push(None),
                text => texts.push(Some(text.get_str().expect("text").to_owned())),
            },
            Err(XmlError { kind, byte_offset, message, .. }) => {
                assert!(records.next_batch(1).expect("ended").is_none());
                return (texts, Some((kind, byte_offset, message)));
            }
        }
    }
}

fn within(window: usize) -> Limits {
    Limits { window, ..Limits::default() }
}

/// Reads through every small window and asserts that each gives what a large one does.
fn the_same_through_all_windows(document: &[u8], windows: impl Iterator<Item = usize>, max_value: usize) -> Outcome {
    let limits = |window| Limits { max_value, ..within(window) };
    let expected = outcome(document, limits(1 << 16), 1 << 16);
    for window in windows {
        for piece in [1, 5, 1 << 16] {
            let found = outcome(document, limits(window), piece);
            assert_eq!(found, expected, "window {window}, {piece}: {}", String::from_utf8_lossy(document));
        }
    }
    expected
}

/// What the parser sees when it has all of a document: texts in the order of ends, and the place of the first fault.
fn parsed(document: &str) -> (Vec<Option<String>>, Option<u64>) {
    let mut reader = Reader::from_str(document);
    let (mut texts, mut open, mut rooted) = (Vec::new(), Vec::<Option<String>>::new(), false);
    loop {
        let before = reader.buffer_position();
        let add = |open: &mut Vec<Option<String>>, text: &str| {
            open.iter_mut().for_each(|into| into.get_or_insert_default().push_str(text));
            !open.is_empty() || text.trim_ascii().is_empty()
        };
        let fine = match reader.read_event() {
            Err(_) => return (texts, Some(reader.error_position().max(before))),
            Ok(Event::Eof) => rooted && open.is_empty(),
            Ok(Event::Start(_)) => {
                let fine = !open.is_empty() || !rooted;
                open.push(None);
                fine
            }
            Ok(Event::Empty(_)) => {
                let fine = !open.is_empty() || !rooted;
                texts.extend(fine.then_some(None));
                fine
            }
            Ok(Event::End(_)) => {
                texts.extend(open.pop());
                true
            }
            Ok(Event::Text(text)) => add(&mut open, &text.xml10_content()),
            Ok(Event::CData(text)) => add(&mut open, &text.xml10_content()),
            Ok(Event::GeneralRef(name)) => {
                match (name.resolve_char_ref(), quick_xml::escape::resolve_xml_entity(&name)) {
                    (Ok(Some(found)), _) => {
                        add(&mut open, found.encode_utf8(&mut [0; 4]));
                        true
                    }
                    (Ok(None), Some(found)) => {
                        add(&mut open, found);
                        true
                    }
                    _ => false,
                }
            }
            Ok(_) => true,
        };
        rooted |= !open.is_empty() || !texts.is_empty();
        if !fine {
            return (texts, Some(before));
        }
        if reader.buffer_position() == document.len() as u64 && before == document.len() as u64 {
            return (texts, None);
        }
    }
}

fn as_parsed(document: &str, found: Outcome) {
    let (texts, fault) = found;
    assert_eq!((texts, fault.as_ref().map(|fault| fault.1)), parsed(document), "{document:?}: {fault:?}");
}

#[test]
fn every_window_shows_the_same() {
    for document in DOCUMENTS {
        let found = the_same_through_all_windows(document.as_bytes(), 1..=document.len() + 1, 1 << 20);
        as_parsed(document, found);
    }
}

#[test]
fn a_document_that_stops_anywhere_is_wrong_in_the_same_way() {
    for document in DOCUMENTS {
        for end in 0..document.len() {
            let cut = &document.as_bytes()[..end];
            let found = the_same_through_all_windows(cut, [1, 2, 3, 7, 16, 64].into_iter(), 1 << 20);
            match std::str::from_utf8(cut) {
                Ok(text) => as_parsed(text, found),
                Err(_) => assert!(found.1.is_some(), "{document} cut at {end}"),
            }
        }
    }
}

#[test]
fn one_token_may_be_so_long_and_no_longer() {
    for document in DOCUMENTS {
        for max_value in 0..document.len() {
            the_same_through_all_windows(document.as_bytes(), [1, 4, 9, 33].into_iter(), max_value);
        }
    }
    let long = |length: usize| format!("<r><!--{}--></r>", "x".repeat(length - 7));
    let fault = |document: &str| outcome(document.as_bytes(), Limits { max_value: 1000, ..within(16) }, 64).1;
    assert_eq!(fault(&long(1000)), None);
    let (kind, offset, _) = fault(&long(1001)).expect("too long");
    assert_eq!((kind, offset), (XmlErrorKind::Limit, 3));
}

#[test]
fn bytes_that_are_no_text_are_found_where_they_are() {
    for (document, offset, rows) in [
        (&b"<r><v>1</v><v>a\xffb</v></r>"[..], 14, 1),
        (b"<r><v>1</v><v a='\xc3('/></r>", 11, 1),
        (b"<r><v>1</v><!--\xed\xa0\x80--></r>", 11, 1),
        (b"<r><v>1</v></r>\n<!--\xc3", 16, 2),
        (b"\xff<r/>", 0, 0),
    ] {
        let (texts, fault) = the_same_through_all_windows(document, 1..30, 1 << 20);
        let (kind, at, _) = fault.expect("not UTF-8");
        assert_eq!((texts.len(), kind, at), (rows, XmlErrorKind::Encoding, offset), "{document:?}");
    }
}

/// A reader that fails once it gave everything.
struct Broken<'d>(&'d [u8]);

impl Read for Broken<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.0.is_empty() { Err(Error::other("the line went dead")) } else { self.0.read(out) }
    }
}

#[test]
fn what_came_before_a_reader_failed_counts() {
    for document in DOCUMENTS {
        // Without a declaration nothing is taken before a good piece of the document is there.
        let document = format!("<?xml version='1.0'?>{document}");
        for end in 0..=document.len() {
            let read = |window, piece| outcome(Broken(&document.as_bytes()[..end]), within(window), piece);
            let expected = read(1 << 16, 1 << 16);
            assert!(expected.1.is_some(), "{document}");
            for window in [1, 3, 10, 50] {
                assert_eq!(read(window, 1), expected, "window {window}: {document} up to {end}");
            }
        }
    }
    let (texts, fault) = outcome(Broken(b"<?xml version='1.0'?><r><v>1</v><v>2</v"), within(8), 4);
    assert_eq!((texts, fault.map(|fault| fault.0)), (vec![Some("1".to_owned())], Some(XmlErrorKind::Io)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_text_is_what_the_parser_says(
        inside in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "/", "!", "?", "-", "--", "-->", "<!--", "<![CDATA[", "]]>", "]", "[", "'", "\"", "=", "&", ";", "#",
            "<v>", "</v>", "</v", "<v", "v", "lt", "&amp;", " ", "\r", "\n", "é", "\u{feff}", "<!DOCTYPE", "<?", "?>",
        ]), 0..14),
        window in 1usize..24,
    ) {
        let document = format!("<r>{}</r>", inside.concat());
        as_parsed(&document, the_same_through_all_windows(document.as_bytes(), std::iter::once(window), 1 << 20));
    }
}
