//! The reference page of the documents.

/// The page, in Markdown.
pub fn markdown() -> String {
    String::new()
}
