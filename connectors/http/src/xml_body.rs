//! Bodies in XML.
//!
//! What is sent is made of values: a mapping's members are child elements, `@name` is an attribute, `#text` is the text
//! beside them, a list repeats its element, and null is left out. Whatever is in a value, it never becomes markup.

use serde_json::{Map, Value as Json};

/// A document of an object with one member, the root element.
///
/// # Errors
/// What cannot stand in XML.
pub(crate) fn xml_document(value: &Json) -> Result<String, String> {
    let one = value.as_object().filter(|members| members.len() == 1).and_then(|members| members.iter().next());
    let (name, content) = one.ok_or("an XML body has one root element")?;
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
    match content {
        Json::Null => one_element(&mut out, name, &Json::from(""))?,
        Json::Array(_) => return Err("a list cannot be the root element".to_owned()),
        content => one_element(&mut out, name, content)?,
    }
    Ok(out)
}

fn elements(out: &mut String, name: &str, value: &Json) -> Result<(), String> {
    match value {
        Json::Null => Ok(()),
        Json::Array(items) => items.iter().try_for_each(|item| elements(out, name, item)),
        one => one_element(out, name, one),
    }
}

fn one_element(out: &mut String, name: &str, value: &Json) -> Result<(), String> {
    if !is_name(name) {
        return Err(format!("`{name}` cannot be the name of an element"));
    }
    out.push('<');
    out.push_str(name);
    let start = out.len();
    match value {
        Json::Object(members) => {
            attributes(out, members)?;
            out.push('>');
            let content = out.len();
            if let Some(text) = members.get("#text") {
                out.push_str(&escaped(&scalar(text, "#text")?)?);
            }
            let children = members.iter().filter(|(name, _)| !name.starts_with('@') && *name != "#text");
            for (name, child) in children {
                elements(out, name, child)?;
            }
            close(out, name, content);
        }
        text => {
            out.push('>');
            out.push_str(&escaped(&scalar(text, name)?)?);
            close(out, name, start + 1);
        }
    }
    Ok(())
}

/// The end of an element whose content began there.
fn close(out: &mut String, name: &str, content: usize) {
    if out.len() == content {
        out.insert(content - 1, '/');
    } else {
        out.push_str("</");
        out.push_str(name);
        out.push('>');
    }
}

fn attributes(out: &mut String, members: &Map<String, Json>) -> Result<(), String> {
    for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
        let Some(name) = name.strip_prefix('@') else { continue };
        if !is_name(name) {
            return Err(format!("`{name}` cannot be the name of an attribute"));
        }
        let value = escaped(&scalar(value, name)?)?.replace('\n', "&#10;").replace('\t', "&#9;");
        out.push_str(&format!(" {name}=\"{value}\""));
    }
    Ok(())
}

fn scalar(value: &Json, name: &str) -> Result<String, String> {
    match value {
        Json::Array(_) | Json::Object(_) => Err(format!("`{name}` is a text, and a list or a mapping is given for it")),
        other => Ok(crate::template::plain_text(other).unwrap_or_default()),
    }
}

fn escaped(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            '\n' | '\t' => out.push(c),
            c if c < ' ' || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                return Err(format!("a text holds the character U+{:04X}, which XML cannot have", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Whether a name can be that of an element or attribute; a prefix is fine.
pub(crate) fn is_name(name: &str) -> bool {
    let first = |c: char| c.is_alphabetic() || c == '_';
    name.starts_with(first) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(value: &Json) -> String {
        xml_document(value).unwrap().split_once('\n').unwrap().1.to_owned()
    }

    #[test]
    fn members_attributes_texts_lists_and_nulls() {
        let value = json!({"users": {
            "@version": 2, "@none": null, "note": "", "gone": null, "done": true,
            "user": [{"@id": "A\"1", "#text": "x"}, {"name": "R & <D>"}, null, "plain"],
        }});
        assert_eq!(
            body(&value),
            "<users version=\"2\"><note/><done>true</done><user id=\"A&quot;1\">x</user>\
             <user><name>R &amp; &lt;D&gt;</name></user><user>plain</user></users>"
        );
        assert_eq!(body(&json!({"empty": null})), "<empty/>");
        assert_eq!(body(&json!({"empty": {"@a": 1}})), "<empty a=\"1\"/>");
    }

    #[test]
    fn what_is_written_is_read_back() {
        let value = json!({"a": {"@b": "1\n2", "c": ["x", "<y> & z"], "d": {"e": "ü"}}});
        assert_eq!(crate::xml_json::xml_to_json(&xml_document(&value).unwrap()).unwrap(), value);
    }

    #[test]
    fn what_xml_cannot_have_is_refused() {
        for value in [
            json!([]),
            json!({"a": 1, "b": 2}),
            json!({"a": [1, 2]}),
            json!({"a b": 1}),
            json!({"a": {"<b>": 1}}),
            json!({"a": {"@1": 1}}),
            json!({"a": "\u{1}"}),
            json!({"a": {"@b": [1]}}),
        ] {
            assert!(xml_document(&value).is_err(), "{value}");
        }
    }
}
