//! Answers made of a definition: what a server that keeps to it would send.

use serde_json::{Map, Value as Json, json};
use towpath_spec::Type;
use towpath_spec::definition::{
    ColumnDoc, Definition, Format, HowDoc, OperationDoc, PaginatorKind, SelectorDoc, StreamDoc, SuccessDoc,
};

/// One step of a path of names, numbers and `[*]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Name(String),
    Index(usize),
    Every,
}

/// The steps of a plain JSONPath. Definitions use no others where an answer has to be made.
pub fn steps(path: &str) -> Vec<Step> {
    let mut rest = path.strip_prefix('$').unwrap_or_else(|| panic!("`{path}` is no JSONPath"));
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[*]") {
            steps.push(Step::Every);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("['") {
            let (name, after) = after.split_once("']").unwrap_or_else(|| panic!("`{path}`"));
            steps.push(Step::Name(name.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('[') {
            let (number, after) = after.split_once(']').unwrap_or_else(|| panic!("`{path}`"));
            steps.push(Step::Index(number.parse().unwrap_or_else(|_| panic!("`{path}`: make an answer for it here"))));
            rest = after;
        } else {
            let after = rest.strip_prefix('.').unwrap_or_else(|| panic!("`{path}`: make an answer for it here"));
            let end = after.find(['.', '[']).unwrap_or(after.len());
            steps.push(Step::Name(after[..end].to_owned()));
            rest = &after[end..];
        }
    }
    steps
}

/// Puts a value at a path; `[*]` is its first place.
pub fn put(at: &mut Json, steps: &[Step], value: Json) {
    let Some((step, rest)) = steps.split_first() else {
        *at = value;
        return;
    };
    match step {
        Step::Name(name) => {
            if !at.is_object() {
                *at = json!({});
            }
            put(at.as_object_mut().unwrap().entry(name.clone()).or_insert(Json::Null), rest, value);
        }
        Step::Index(_) | Step::Every => {
            let index = if let Step::Index(index) = step { *index } else { 0 };
            if !at.is_array() {
                *at = json!([]);
            }
            let items = at.as_array_mut().unwrap();
            while items.len() <= index {
                items.push(Json::Null);
            }
            put(&mut items[index], rest, value);
        }
    }
}

/// A value of a type, the `n`-th one.
fn value(ty: &Type, name: &str, n: usize) -> Json {
    match ty {
        Type::Bool => json!(n % 2 == 1),
        Type::Int => json!(n + 1),
        Type::Float => json!(n as f64 + 0.5),
        Type::Decimal { .. } => json!(format!("{n}.5")),
        Type::Date => json!(format!("2024-03-{:02}", n % 28 + 1)),
        Type::DateTime { .. } => json!(format!("2024-03-{:02}T10:11:12Z", n % 28 + 1)),
        Type::List(item) => json!([value(item, name, n)]),
        Type::Struct(fields) => fields
            .iter()
            .map(|field| (field.name.clone(), value(&field.ty, &field.name, n)))
            .collect::<Map<_, _>>()
            .into(),
        Type::Json => json!({"n": n}),
        _ => json!(format!("{name} {n}")),
    }
}

/// What a server sends.
pub struct Body {
    pub kind: &'static str,
    pub bytes: Vec<u8>,
}

/// A page of an answer.
pub struct Page<'a> {
    /// Numbers of its records.
    pub records: std::ops::Range<usize>,
    /// How many there are on all pages.
    pub total: usize,
    /// Which page it is, from 0.
    pub number: usize,
    pub is_last: bool,
    /// The address this server has.
    pub origin: &'a str,
}

/// Whether a stream gives one record at most.
pub fn is_single(stream: &StreamDoc) -> bool {
    let selector = &stream.record_selector;
    match selector.format {
        Format::Json => !selector.records.as_ref().is_some_and(|path| path.value.contains("[*]")),
        // The root element itself is the record.
        Format::Xml => selector.records.as_ref().is_some_and(|path| path.value.matches('/').count() == 1),
        Format::Csv => false,
        _ => true,
    }
}

/// The answer of a stream.
pub fn page(stream: &StreamDoc, page: &Page<'_>) -> Body {
    match stream.record_selector.format {
        Format::Json => json_page(stream, page),
        Format::Xml => xml_page(stream, page),
        Format::Csv => {
            let names: Vec<&str> = stream.schema.iter().map(place).collect();
            let mut text = names.join(",") + ",unknown\n";
            for n in page.records.clone() {
                let cells: Vec<String> = stream.schema.iter().map(|column| plain(&value(&column.ty, "v", n))).collect();
                text += &(cells.join(",") + ",x\n");
            }
            Body { kind: "text/csv", bytes: text.into_bytes() }
        }
        Format::Text => Body { kind: "text/plain", bytes: b"text 0".to_vec() },
        Format::File => Body { kind: "application/pdf", bytes: b"%PDF-1.4 0".to_vec() },
    }
}

fn place(column: &ColumnDoc) -> &str {
    column.from.as_ref().unwrap_or(&column.name).as_str()
}

fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Columns that are read from the answer, and not filled in by whoever asked.
fn read(stream: &StreamDoc) -> impl Iterator<Item = &ColumnDoc> {
    stream.schema.iter().filter(|column| !place(column).starts_with(['^', '.']))
}

fn json_record(stream: &StreamDoc, n: usize) -> Json {
    if let Some(name) = &stream.record_selector.value {
        let column = stream.schema.iter().find(|column| column.name.value == name.value);
        return column.map_or(Json::Null, |column| value(&column.ty, "v", n));
    }
    // What is not known is not in the way.
    let mut record = json!({"unknown_member": {"deep": [n]}});
    for column in read(stream) {
        let path = match &column.from {
            Some(from) if from.value.starts_with('$') => steps(&from.value),
            Some(from) => vec![Step::Name(from.value.clone())],
            None => vec![Step::Name(column.name.value.clone())],
        };
        let written = match (&column.rules.split, &column.ty) {
            (Some(split), Type::List(_)) => json!(format!("a{n}{}b{n}", split.as_str())),
            _ => value(&column.ty, &column.name.value, n),
        };
        put(&mut record, &path, written);
    }
    record
}

fn json_page(stream: &StreamDoc, page: &Page<'_>) -> Body {
    let mut answer = json!({});
    let selector: &SelectorDoc = &stream.record_selector;
    let path = selector.records.as_ref().map(|path| steps(&path.value)).unwrap_or_default();
    let records: Vec<Json> = page.records.clone().map(|n| json_record(stream, n)).collect();
    match path.iter().rposition(|step| *step == Step::Every) {
        Some(last) => {
            let wrapped = records.into_iter().map(|record| {
                let mut item = Json::Null;
                put(&mut item, &path[last + 1..], record);
                item
            });
            put(&mut answer, &path[..last], wrapped.collect());
        }
        None => put(&mut answer, &path, records.into_iter().next().unwrap_or(Json::Null)),
    }
    if let Some(paginator) = &stream.paginator {
        let mut tell = |path: &str, value: Json| put(&mut answer, &steps(path), value);
        if let Some(total) = &paginator.total {
            tell(&total.value, json!(page.total));
        }
        let next = page.number + 1;
        match &paginator.kind {
            PaginatorKind::Page { last: Some(last), first } => {
                let pages = if page.is_last { page.number } else { page.number + 1 };
                tell(&last.value, json!(*first + pages as i64));
            }
            PaginatorKind::Key { from } if page.is_last => tell(&from.value, Json::Null),
            PaginatorKind::Key { from } => tell(&from.value, json!(format!("key {next}"))),
            PaginatorKind::Next { from } if page.is_last => tell(&from.value, Json::Null),
            PaginatorKind::Next { from } => tell(&from.value, json!(format!("{}/next?page={next}", page.origin))),
            _ => {}
        }
    }
    succeed(&mut answer, &stream.success);
    Body { kind: "application/json", bytes: answer.to_string().into_bytes() }
}

/// Makes an answer say that it is good.
fn succeed(answer: &mut Json, success: &SuccessDoc) {
    match success {
        SuccessDoc::Equals { path, values } => put(answer, &steps(&path.value), values[0].to_json()),
        SuccessDoc::Present { path } => {
            let mut there = &*answer;
            for step in steps(&path.value) {
                there = match step {
                    Step::Name(name) => &there[name.as_str()],
                    Step::Index(index) => &there[index],
                    Step::Every => &there[0],
                };
            }
            if there.is_null() {
                put(answer, &steps(&path.value), json!("there"));
            }
        }
        _ => {}
    }
}

fn xml_page(stream: &StreamDoc, page: &Page<'_>) -> Body {
    let path = stream.record_selector.records.as_ref().map_or("//record", |path| path.as_str());
    let elements: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (record, around) = elements.split_last().expect("a path to records");
    let mut text = String::from("<?xml version=\"1.0\"?>");
    // A path from anywhere needs a root, and a namespace must not be in the way.
    let around: Vec<&str> = if path.starts_with("//") { vec!["root"] } else { around.to_vec() };
    for (index, name) in around.iter().enumerate() {
        let space = if index == 0 { " xmlns=\"urn:any\"" } else { "" };
        text += &format!("<{name}{space}>");
    }
    for n in page.records.clone() {
        let mut tree = Json::Null;
        put(&mut tree, &[Step::Name("unknownElement".to_owned()), Step::Name("deep".to_owned())], json!("x"));
        for column in read(stream) {
            let place = place(column).replace("[]", "");
            let path: Vec<Step> = place.split('/').map(|part| Step::Name(part.to_owned())).collect();
            put(&mut tree, &path, value(&column.ty, "v", n));
        }
        element(&mut text, record, &tree);
    }
    around.iter().rev().for_each(|name| text += &format!("</{name}>"));
    Body { kind: "text/xml", bytes: text.into_bytes() }
}

fn element(text: &mut String, name: &str, value: &Json) {
    *text += &format!("<{name}");
    let members = value.as_object().into_iter().flatten();
    for (attribute, value) in members.clone().filter(|(key, _)| key.starts_with('@')) {
        *text += &format!(" {}=\"{}\"", &attribute[1..], plain(value));
    }
    text.push('>');
    for (key, value) in members.filter(|(key, _)| !key.starts_with('@') && *key != "text()" && *key != ".") {
        element(text, key, value);
    }
    if !value.is_object() {
        *text += &plain(value);
    }
    *text += &format!("</{name}>");
}

/// A record with all fields of an operation, but for addresses of files, which a path takes the place of.
pub fn record(operation: &OperationDoc) -> Map<String, Json> {
    let fields = operation
        .fields
        .iter()
        .filter(|field| field.required || !matches_any(&field.name.value, &["url", "content_type"]));
    let fields = fields.map(|field| {
        let written = match field.values.first() {
            Some(first) if field.ty == Type::Int => json!(first.value.parse::<i64>().unwrap_or_default()),
            Some(first) => json!(first.value),
            // The names of a code table are what it takes.
            None if !field.written.words.is_empty() => json!(field.written.words[0].0.value),
            None if field.ty == Type::Text => json!("v"),
            None if field.ty == Type::Binary => json!("JVBERg=="),
            None => value(&field.ty, "v", 0),
        };
        (field.name.value.clone(), written)
    });
    fields.collect()
}

/// The answer of an operation to one record that it takes.
pub fn done(operation: &OperationDoc) -> Body {
    use towpath_spec::definition::AnswerFormat;
    if let Some(echo) = &operation.response.echo {
        let mut text = "said\r\n".repeat(echo.skip_lines);
        if echo.header {
            text += "\"a\",\"error\"\r\n";
        }
        text += "\"v\",\"\"\r\n";
        text += echo.success_text.as_ref().map_or("", |text| text.as_str());
        return Body { kind: "text/plain", bytes: text.into_bytes() };
    }
    let mut answer = json!({});
    for result in operation.results.iter().filter(|result| result.from.value.starts_with('$')) {
        put(&mut answer, &steps(&result.from.value), value(&result.ty, "v", 0));
    }
    if let Some(items) = &operation.items {
        let mut item = json!({});
        succeed(&mut item, &items.success);
        put(&mut answer, &steps(&items.path.value), item);
    }
    succeed(&mut answer, &operation.success);
    match operation.response.format {
        AnswerFormat::Json => Body { kind: "application/json", bytes: answer.to_string().into_bytes() },
        AnswerFormat::Xml => {
            let mut text = String::new();
            match answer.as_object().filter(|members| members.len() == 1).and_then(|members| members.iter().next()) {
                Some((name, inner)) => element(&mut text, name, inner),
                None => element(&mut text, "root", &answer),
            }
            Body { kind: "text/xml", bytes: text.into_bytes() }
        }
        _ => {
            let text = match &operation.success {
                SuccessDoc::LastLineContains(text) => text.value.clone(),
                _ => answer.as_str().unwrap_or("ok").to_owned(),
            };
            Body { kind: "text/plain", bytes: text.into_bytes() }
        }
    }
}

/// Whether an operation makes a call of its own.
pub fn is_call(operation: &OperationDoc) -> bool {
    matches!(operation.how, HowDoc::Request(_))
}

/// A definition as it stands.
pub fn definition(path: &str, text: &str) -> Definition {
    let mut files = towpath_spec::Files::new();
    let file = files.add(path, text);
    let tree = towpath_spec::parse_yaml(&files, file).unwrap();
    towpath_spec::definition::decode_definition(file, &tree, &mut Vec::new()).unwrap()
}

/// Whether a name has one of these words in it.
fn matches_any(name: &str, words: &[&str]) -> bool {
    words.iter().any(|word| name.to_lowercase().contains(word))
}
