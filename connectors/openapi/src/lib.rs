//! A first definition of a connector from an OpenAPI 3 or Swagger 2 document.
//!
//! What the document says is taken over: paths, parameters, bodies, schemas, ways to log in. What it cannot say (how pages
//! follow each other, which calls only read) is guessed from names, and each guess is marked as one, with the word
//! `guessed` behind it, for a person to check. The text that comes out is for people: they go on from there, and this is never
//! run again over their work. Nothing is asked of the network: references to other files are left out, and said.

mod auth;
mod call;
mod document;
mod names;
mod operations;
mod paging;
mod schema;
mod streams;
mod write;

use document::Document;
use names::Names;
use serde_json::Value as Json;
use write::Page;

/// A definition made of a document.
#[derive(Debug, Clone)]
pub struct Generated {
    /// The text of the definition.
    pub text: String,
    /// How many streams it has.
    pub streams: usize,
    /// How many operations it has.
    pub operations: usize,
    /// What was guessed, for a person to check: names of streams and operations with what the guess is about.
    pub guessed: Vec<String>,
    /// What the document has and the definition has not, and why.
    pub left_out: Vec<String>,
}

/// Makes the definition of connector `name` from a document in JSON or YAML; `source` says where the document came from.
///
/// # Errors
/// The text is neither JSON nor YAML, or no OpenAPI 3 or Swagger 2 document.
pub fn generate(name: &str, text: &str, source: &str) -> Result<Generated, String> {
    let root: Json = match (serde_json::from_str(text), serde_yaml::from_str(text)) {
        (Ok(root), _) | (Err(_), Ok(root)) => root,
        (Err(error), _) if text.trim_start().starts_with('{') => return Err(format!("not JSON: {error}")),
        (_, Err(error)) => return Err(format!("neither JSON nor YAML: {error}")),
    };
    let document = Document::new(&root)?;
    let mut work = Work { document, names: Names::default(), guessed: Vec::new(), left_out: Vec::new() };
    let mut page = Page::default();
    work.head(&mut page, name, source);
    let logins = work.auth(&mut page);
    work.defaults(&mut page, &logins);
    let calls = work.calls();
    let streams = work.streams(&mut page, &calls, &logins);
    let operations = work.operations(&mut page, &calls, &logins);
    if streams + operations == 0 {
        return Err("the document has no path with a method that can be called".to_owned());
    }
    Ok(Generated { text: page.finish(), streams, operations, guessed: work.guessed, left_out: work.left_out })
}

/// What is known while a definition is made.
struct Work<'a> {
    document: Document<'a>,
    names: Names,
    guessed: Vec<String>,
    left_out: Vec<String>,
}

impl Work<'_> {
    fn head(&self, page: &mut Page, name: &str, source: &str) {
        page.comment(&format!("Made of {source}. Words marked `guessed` are not said there: check them."));
        page.line("version: 1");
        page.pair("connector", name);
        let info = &self.document.root["info"];
        let title = info["title"].as_str().unwrap_or(name);
        let version = info["version"].as_str().map(|version| format!(" {version}")).unwrap_or_default();
        let about = info["description"].as_str().map(document::one_line).filter(|about| !about.is_empty());
        page.pair(
            "description",
            &match about {
                Some(about) => format!("{title}{version}. {about}"),
                None => format!("{title}{version}."),
            },
        );
        page.pair("source", source);
        page.line("");
        page.open("config");
        page.open("base_url");
        page.pair("type", "text");
        match self.document.server() {
            Some(server) => page.pair("default", &server),
            None => page.line("required: true"),
        }
        page.pair("doc", "address of the API, without the paths of its calls");
        page.close();
    }

    fn defaults(&self, page: &mut Page, logins: &auth::Logins) {
        page.line("");
        page.open("defaults");
        page.list("auth", &logins.default);
        page.line("headers: {Accept: application/json}");
        page.line(
            "error_message: [$.message, $.error.message, $.error_description, $.error, $.detail, $.title]  # guessed",
        );
        page.close();
    }
}
