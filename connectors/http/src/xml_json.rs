//! XML turned into JSON, so that JSONPaths find what an answer says.
//!
//! Names lose their prefix. An attribute is `@name`, the text of an element that has more than text is `#text`, an
//! element that is repeated is a list, and an element of nothing but text is that text, without white space around it.
//! The document is an object with the root element in it. Entities a DTD defines are never expanded.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value as Json};

/// Elements inside elements; an answer has a handful.
const DEPTH: usize = 128;

/// An element that is not at its end yet.
#[derive(Default)]
struct Open {
    name: String,
    members: Map<String, Json>,
    text: String,
}

impl Open {
    fn of(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut open = Self { name: local(start.name().local_name().as_ref()), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key: &str = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
            let name = format!("@{}", local(attribute.key.local_name().as_ref()));
            open.members.insert(name, Json::from(value.as_ref()));
        }
        Ok(open)
    }

    fn close(mut self) -> (String, Json) {
        let text = self.text.trim();
        if self.members.is_empty() {
            return (self.name, Json::from(text));
        }
        if !text.is_empty() {
            self.members.insert("#text".to_owned(), Json::from(text));
        }
        (self.name, Json::Object(self.members))
    }

    fn add(&mut self, name: String, value: Json) {
        match self.members.get_mut(&name) {
            None => drop(self.members.insert(name, value)),
            Some(Json::Array(items)) => items.push(value),
            Some(first) => {
                let first_of_two = first.take();
                *first = Json::Array(vec![first_of_two, value]);
            }
        }
    }
}

fn local(name: &str) -> String {
    name.to_owned()
}

/// A document as JSON.
///
/// # Errors
/// Why it is no XML.
pub(crate) fn xml_to_json(text: &str) -> Result<Json, String> {
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}'));
    // The document itself is the outermost element, which has no name.
    let mut open = vec![Open::default()];
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                if open.len() > DEPTH {
                    return Err(format!("elements are nested deeper than {DEPTH}"));
                }
                open.push(Open::of(&start)?);
            }
            Event::Empty(start) => end(&mut open, Open::of(&start)?)?,
            Event::End(_) => {
                let last = open.pop().ok_or("an element ends that never began")?;
                end(&mut open, last)?;
            }
            Event::Text(text) => add_text(&mut open, &text.xml10_content()),
            Event::CData(text) => add_text(&mut open, &text.xml10_content()),
            Event::GeneralRef(reference) => add_text(&mut open, &referred(&reference)?),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    match open.pop() {
        Some(document) if open.is_empty() && document.text.trim().is_empty() && document.members.len() == 1 => {
            Ok(Json::Object(document.members))
        }
        Some(_) if !open.is_empty() => Err("it ends in the middle".to_owned()),
        _ => Err("there is not one root element".to_owned()),
    }
}

fn end(open: &mut [Open], element: Open) -> Result<(), String> {
    let (name, value) = element.close();
    open.last_mut().ok_or("an element ends that never began")?.add(name, value);
    Ok(())
}

fn add_text(open: &mut [Open], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

fn referred(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|error| error.to_string())? {
        return Ok(character.to_string());
    }
    let name: &str = reference;
    Ok(match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "apos" => "'",
        "quot" => "\"",
        other => return Err(format!("the entity `&{other};` is not one of XML's own")),
    }
    .to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn attributes_texts_and_repeated_elements() {
        let text = r#"<?xml version="1.0"?><!-- a -->
            <r:result xmlns:r="urn:x" code="7"><r:user id="1">A &amp; B&#33;</r:user><user> C </user><none/>
            <deep><x><![CDATA[<ok>]]></x></deep></r:result>"#;
        assert_eq!(
            xml_to_json(text).unwrap(),
            json!({"result": {
                "@code": "7", "user": [{"@id": "1", "#text": "A & B!"}, "C"], "none": "", "deep": {"x": "<ok>"},
            }})
        );
        assert_eq!(xml_to_json("<ok>1</ok>").unwrap(), json!({"ok": "1"}));
    }

    #[test]
    fn what_is_no_xml_says_why() {
        for text in ["", "ok", "<a>", "<a></b>", "<a/><b/>", "<a>&mine;</a>"] {
            assert!(xml_to_json(text).is_err(), "{text}");
        }
        let deep = format!("{}{}", "<a>".repeat(1000), "</a>".repeat(1000));
        assert!(xml_to_json(&deep).unwrap_err().contains("nested"));
    }
}
