//! Small XML documents as trees.

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

use crate::people_fluent::{page::Refused, query::refused};

#[derive(Default)]
pub(super) struct Element {
    pub name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub children: Vec<Element>,
}

impl Element {
    fn of(start: &BytesStart<'_>) -> Result<Self, String> {
        let mut element = Self { name: start.local_name().into_inner().to_owned(), ..Self::default() };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let value = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|error| error.to_string())?;
            element.attributes.push((attribute.key.local_name().into_inner().to_owned(), value.into_owned()));
        }
        Ok(element)
    }

    pub(super) fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The text at a path of names; empty when there is none.
    pub(super) fn at(&self, path: &str) -> &str {
        let child = |element: &'_ Self, name: &str| element.children.iter().position(|child| child.name == name);
        let mut found = self;
        for name in path.split('/') {
            match child(found, name) {
                Some(at) => found = &found.children[at],
                None => return "",
            }
        }
        found.text.trim()
    }
}

/// The root element of a document.
pub(super) fn read(bytes: &[u8]) -> Result<Element, Refused> {
    let text = std::str::from_utf8(bytes).map_err(|_| refused("The body is not UTF-8"))?;
    parse(text).map_err(|why| refused(&format!("The body is not well-formed XML: {why}")))
}

fn parse(text: &str) -> Result<Element, String> {
    let mut reader = Reader::from_str(text);
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event().map_err(|error| error.to_string())? {
            Event::Start(start) => open.push(Element::of(&start)?),
            Event::Empty(start) => close(&mut open, Element::of(&start)?),
            Event::End(_) => {
                let last = open.pop().ok_or("an element ends that never began")?;
                close(&mut open, last);
            }
            Event::Text(part) => add(&mut open, &part.xml10_content()),
            Event::CData(part) => add(&mut open, &part.xml10_content()),
            Event::GeneralRef(entity) => match entity.resolve_char_ref().map_err(|error| error.to_string())? {
                Some(c) => add(&mut open, c.encode_utf8(&mut [0; 4])),
                None => {
                    let name = entity.into_inner();
                    let known = quick_xml::escape::resolve_predefined_entity(&name);
                    add(&mut open, known.ok_or("an entity is not one of XML's own")?);
                }
            },
            Event::Eof => break,
            _ => {}
        }
    }
    let document = open.pop().filter(|_| open.is_empty()).ok_or("it ends within an element")?;
    document.children.into_iter().next().ok_or_else(|| "there is no root element".to_owned())
}

fn add(open: &mut [Element], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

fn close(open: &mut [Element], element: Element) {
    if let Some(parent) = open.last_mut() {
        parent.children.push(element);
    }
}
