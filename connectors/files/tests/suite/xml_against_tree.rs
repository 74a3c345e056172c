//! The streaming selector against the plainest possible reference: the whole document as a tree, every column looked
//! up by walking it. Documents, record paths and fields are generated.

use polars::prelude::{AnyValue, DataFrame};
use proptest::prelude::*;
use std::io::BufReader;
use std::sync::Arc;
use towpath_files::xml::{Limits, Records, Selector, XmlErrorKind};
use towpath_spec::Type;

#[derive(Debug, Clone)]
struct Element {
    name: &'static str,
    id: Option<String>,
    content: Vec<Content>,
}

#[derive(Debug, Clone)]
enum Content {
    Child(Element),
    Text(String),
    Data(String),
    Comment,
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c"])
}

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["x", "é<&>\"'", "  ", "two\nlines", "1", "]]>"]).prop_map(String::from)
}

fn element() -> impl Strategy<Value = Element> {
    let id = || prop::option::of(text());
    let content = |child: BoxedStrategy<Element>| {
        prop_oneof![
            4 => child.prop_map(Content::Child),
            2 => text().prop_map(Content::Text),
            1 => prop::sample::select(vec!["", "d&<"]).prop_map(|data| Content::Data(data.into())),
            1 => Just(Content::Comment),
        ]
    };
    let leaf = (names(), id(), prop::collection::vec(text().prop_map(Content::Text), 0..2))
        .prop_map(|(name, id, content)| Element { name, id, content });
    leaf.prop_recursive(5, 40, 5, move |inner| {
        (names(), id(), prop::collection::vec(content(inner.boxed()), 0..5)).prop_map(|(name, id, content)| Element {
            name,
            id,
            content,
        })
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&#62;").replace('"', "&#x22;").replace('\'', "&apos;")
}

fn write(element: &Element, out: &mut String) {
    let attribute =
        element.id.as_ref().map(|id| format!(" xmlns:p='urn:p' p:id=\"{}\"", escape(id).replace('\n', "&#10;")));
    let attribute = attribute.unwrap_or_default();
    if element.content.is_empty() {
        out.push_str(&format!("<{}{attribute}/>", element.name));
        return;
    }
    out.push_str(&format!("<{}{attribute}>", element.name));
    for content in &element.content {
        match content {
            Content::Child(child) => write(child, out),
            Content::Text(text) => out.push_str(&escape(text)),
            Content::Data(data) => out.push_str(&format!("<![CDATA[{data}]]>")),
            Content::Comment => out.push_str("<!-- <a> & -->"),
        }
    }
    out.push_str(&format!("</{} >", element.name));
}

/// An element of the tree with its parent, its place in the document and where it ends.
struct Placed<'a> {
    element: &'a Element,
    parent: Option<usize>,
    end: usize,
}

fn place<'a>(element: &'a Element, parent: Option<usize>, all: &mut Vec<Placed<'a>>) {
    let at = all.len();
    all.push(Placed { element, parent, end: 0 });
    for content in &element.content {
        if let Content::Child(child) = content {
            place(child, Some(at), all);
        }
    }
    all[at].end = all.len();
}

struct Tree<'a>(Vec<Placed<'a>>);

impl Tree<'_> {
    fn path(&self, at: usize) -> Vec<&str> {
        let mut names = match self.0[at].parent {
            Some(parent) => self.path(parent),
            None => Vec::new(),
        };
        names.push(self.0[at].element.name);
        names
    }

    fn children(&self, at: usize) -> impl Iterator<Item = usize> {
        (at + 1..self.0[at].end).filter(move |child| self.0[*child].parent == Some(at))
    }

    fn text(&self, element: &Element) -> Option<String> {
        let mut out = None;
        for content in &element.content {
            let piece = match content {
                Content::Text(text) | Content::Data(text) => Some(text.clone()),
                Content::Child(child) => self.text(child),
                Content::Comment => None,
            };
            if let Some(piece) = piece {
                out.get_or_insert_with(String::new).push_str(&piece);
            }
        }
        out
    }
}

/// Whether a path of names is one the pattern means: the plainest recursive matcher.
fn matches(pattern: &str, path: &[&str]) -> bool {
    let Some(rest) = pattern.strip_prefix('/') else {
        return pattern.is_empty() && path.is_empty();
    };
    if let Some(deep) = rest.strip_prefix('/') {
        let once = format!("/{deep}");
        return (0..path.len()).any(|skip| matches(&once, &path[skip..]));
    }
    let (step, next) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    match path.split_first() {
        Some((name, path)) => (step == "*" || step == *name) && matches(next, path),
        None => false,
    }
}

/// What a field gives for a record; an error when it is found only after the record.
fn field(tree: &Tree<'_>, records: &[usize], record: usize, selector: &str) -> Result<Vec<Option<String>>, ()> {
    let plain = selector.replace("[]", "").replace("^@", "^/@");
    let (mut nodes, mut around) = (vec![record], false);
    for step in plain.split('/') {
        nodes = match step {
            "." => nodes,
            ".." => nodes.iter().filter_map(|at| tree.0[*at].parent).collect(),
            "^" => {
                let at = nodes[0];
                let mut outer =
                    records.iter().rev().filter(|other| **other < at && tree.0[**other].end >= tree.0[at].end);
                outer.next().copied().into_iter().collect()
            }
            "@id" => {
                nodes.retain(|at| tree.0[*at].element.id.is_some());
                nodes
            }
            name => nodes
                .iter()
                .flat_map(|at| tree.children(*at).collect::<Vec<_>>())
                .filter(|at| name == "*" || tree.0[*at].element.name == name)
                .collect(),
        };
        around |= step == ".." || step == "^";
        if nodes.is_empty() {
            break;
        }
    }
    let attribute = plain.ends_with("@id");
    if !selector.contains("[]") {
        nodes.truncate(1);
    }
    if around {
        for at in &nodes {
            let late = *at >= tree.0[record].end;
            let open = !attribute && *at < record && tree.0[*at].end >= tree.0[record].end;
            if late || open {
                return Err(());
            }
        }
    }
    let value = |at: &usize| {
        let element = tree.0[*at].element;
        if attribute { element.id.clone() } else { tree.text(element) }
    };
    Ok(nodes.iter().map(value).collect())
}

type Rows = Vec<Vec<Vec<Option<String>>>>;

fn reference(root: &Element, pattern: &str, fields: &[&str]) -> Result<Rows, ()> {
    let mut placed = Vec::new();
    place(root, None, &mut placed);
    let tree = Tree(placed);
    let records: Vec<usize> = (0..tree.0.len()).filter(|at| matches(pattern, &tree.path(*at))).collect();
    let mut in_order = records.clone();
    // Rows come out where they end; of two that end together the inner one first.
    in_order.sort_by_key(|at| (tree.0[*at].end, std::cmp::Reverse(*at)));
    let row = |record: &usize| fields.iter().map(|written| field(&tree, &records, *record, written)).collect();
    in_order.iter().map(row).collect()
}

fn rows(frame: &DataFrame, fields: &[&str], out: &mut Rows) {
    for at in 0..frame.height() {
        let cell = |(column, written): (usize, &&str)| match frame[column].get(at).expect("in range") {
            AnyValue::Null => vec![None],
            AnyValue::String(text) => vec![Some(text.to_owned())],
            AnyValue::StringOwned(text) => vec![Some(text.to_string())],
            AnyValue::List(items) => {
                let items = items.str().expect("a list of text");
                items.iter().map(|item| item.map(str::to_owned)).collect()
            }
            other => panic!("{written}: {other:?}"),
        };
        out.push(fields.iter().enumerate().map(cell).collect());
    }
}

fn streamed(xml: &str, pattern: &str, fields: &[&str], chunk: usize, batch: usize) -> Result<Rows, XmlErrorKind> {
    let ty = |written: &str| {
        if Selector::is_list(written) { Type::List(Box::new(Type::Text)) } else { Type::Text }
    };
    let named: Vec<_> = (fields.iter().enumerate())
        .map(|(at, written)| (format!("f{at}"), (*written).to_owned(), ty(written)))
        .collect();
    let selector = Selector::compile(pattern, &named).expect("generated selectors are valid");
    let reader = BufReader::with_capacity(chunk, xml.as_bytes());
    let mut records = Records::new(Arc::new(selector), reader, Limits::default());
    let mut out = Vec::new();
    loop {
        match records.next_batch(batch) {
            Ok(Some(found)) => {
                assert!(found.frame.height() <= batch);
                rows(&found.frame, fields, &mut out);
            }
            Ok(None) => return Ok(out),
            Err(error) => return Err(error.kind),
        }
    }
}

/// Missing single values are one null on our side and nothing on the reference's.
fn settle(rows: Rows, fields: &[&str]) -> Rows {
    let cell = |(values, written): (Vec<Option<String>>, &&str)| {
        if !written.contains("[]") && values.is_empty() { vec![None] } else { values }
    };
    rows.into_iter().map(|row| row.into_iter().zip(fields).map(cell).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_stream_gives_what_the_tree_gives(
        root in element(),
        pattern in prop::sample::select(vec![
            "/a", "/a/b", "//b", "//a", "/*/b", "/a//b", "//a/b", "//*", "/*//c/*", "/*/a/b",
        ]),
        fields in prop::collection::vec(prop::sample::select(vec![
            ".", "a", "b", "a/b", "@id", "a/@id", "../@id", "../a", "../b/c", "../../@id", "../../c", "^@id", "^/b",
            "^/../@id", "^/^/@id", "a[]", "a[]/b", "b/@id[]", "../c[]", "*", "*[]", "a/*",
        ]), 1..6),
        chunk in 1usize..40,
        batch in 1usize..4,
    ) {
        let mut xml = String::from("<?xml version='1.0'?>\n");
        write(&root, &mut xml);
        let expected = reference(&root, pattern, &fields);
        let first = pattern.trim_start_matches('/').split('/').next().unwrap_or_default();
        let rooted = pattern.starts_with("//") || first == "*" || first == root.name;
        match streamed(&xml, pattern, &fields, chunk, batch) {
            Ok(found) => {
                prop_assert!(rooted);
                prop_assert_eq!(settle(expected.expect("not late"), &fields), found, "{}", xml);
            }
            Err(XmlErrorKind::Late) => prop_assert!(expected.is_err(), "{xml}"),
            Err(XmlErrorKind::Root) => prop_assert!(!rooted, "{xml}"),
            Err(other) => prop_assert!(false, "{other:?}: {xml}"),
        }
    }

    /// Any cut of a document is an error, never a shorter answer.
    #[test]
    fn a_cut_document_is_never_taken_for_a_whole_one(root in element(), cut in 0.0f64..1.0) {
        let mut xml = String::new();
        write(&root, &mut xml);
        let mut at = (xml.trim_end().len() as f64 * cut) as usize;
        while !xml.is_char_boundary(at) {
            at -= 1;
        }
        let found = streamed(&xml[..at], "//*", &["@id"], 16, 10);
        prop_assert!(found.is_err(), "{}", &xml[..at]);
    }
}
