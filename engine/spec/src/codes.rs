//! Every code a problem of an authored file can have, in one place, by the crate that finds it.
//!
//! To add one: a line below, in its crate's group, and the page `docs/errors/<code>.md`, which is compiled in here.

use crate::diagnostic::Code;

macro_rules! codes {
    ($( $by:literal { $( $name:ident = $code:literal, $about:literal; )* } )*) => {
        $( $(
            #[doc = $about]
            pub const $name: Code = $code;
        )* )*

        /// Every code with one line about it and its page of the manual.
        pub const ALL: &[Entry] = &[
            $( $( Entry {
                code: $code,
                by: $by,
                about: $about,
                page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors/", $code, ".md")),
            }, )* )*
        ];
    };
}

/// A code, what it stands for, and its page.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The stable name.
    pub code: Code,
    /// The crate whose cases must trigger it: `spec`, `mapping`, `plan`, ….
    pub by: &'static str,
    /// One line.
    pub about: &'static str,
    /// The page `docs/errors/<code>.md`, Markdown.
    pub page: &'static str,
}

codes! {
    // The text and its shape.
    "spec" {
        FILE_TOO_LARGE = "file-too-large", "A document is larger than any hand-written one.";
        CONTROL_CHARACTER = "control-character", "A control character, NUL among them, in a document.";
        YAML_SYNTAX = "yaml-syntax", "The text is not YAML.";
        YAML_TAG = "yaml-tag", "A YAML tag such as `!!int` or `!secret`.";
        SEVERAL_DOCUMENTS = "several-documents", "More than one YAML document in a file.";
        TOO_DEEP = "too-deep", "Lists and mappings nested deeper than any document needs.";
        TOO_MANY_NODES = "too-many-nodes", "A document, aliases filled in, with more values than any needs.";
        TOO_MANY_PROBLEMS = "too-many-problems", "The list of problems was cut.";
        UNQUOTED_TEMPLATE = "unquoted-template", "A value that starts with `{{` without quotes.";
        TEMPLATE_IN_KEY = "template-in-key", "A template in the place of a key.";
        KEY_NOT_TEXT = "key-not-text", "A key that is a number, a list, nothing.";
        DUPLICATE_KEY = "duplicate-key", "The same key twice in one mapping.";
        UNKNOWN_KEY = "unknown-key", "A key that has no meaning where it stands.";
        MISSING_KEY = "missing-key", "A key that must be written is not there.";
        WRONG_TYPE = "wrong-type", "A value of another type than expected.";
        INVALID_VALUE = "invalid-value", "A value of the right type that is not one of those allowed.";
        CONFLICTING_KEYS = "conflicting-keys", "Two keys of which only one may be written.";
        INVALID_NAME = "invalid-name", "A name with characters names cannot have.";
        INVALID_TYPE = "invalid-type", "A column type that does not exist.";
        DUPLICATE_NAME = "duplicate-name", "Two nodes of one pipeline with the same name.";
        UNKNOWN_DOCUMENT = "unknown-document", "A file that is no project, pipeline or connector.";
        WRONG_DOCUMENT = "wrong-document", "A document of another kind than asked for.";
        UNSUPPORTED_VERSION = "unsupported-version", "A `version:` this release cannot read.";
        UNKNOWN_STEP = "unknown-step", "A list item of `steps` with no known step in it.";
        SEVERAL_STEPS = "several-steps", "A list item of `steps` with more than one step.";
    }

    // Names, columns, settings.
    "plan" {
        APPENDED_AGAIN = "appended-again", "Rows that are read more than once would be appended each time.";
        INCREMENTAL_FILE = "incremental-file", "A file that would hold only what is new.";
        SAME_FILE = "same-file", "A sink would overwrite a file that the same pipeline reads or writes elsewhere.";
        ODD_SOURCE = "odd-source", "Something about a source is odd, but not wrong.";
        NOTHING_LEFT = "nothing-left", "A step would leave no column, or a column without a name.";
        UNKNOWN_NODE = "unknown-node", "An input names a node that does not exist.";
        CYCLE = "cycle", "Nodes read each other in a circle.";
        UNREAD_NODE = "unread-node", "A node that no other node reads.";
        UNKNOWN_CONNECTION = "unknown-connection", "A connection that is not declared.";
        UNKNOWN_CONNECTOR = "unknown-connector", "A connector that does not exist.";
        UNKNOWN_STREAM = "unknown-stream", "A stream the connector does not have.";
        UNKNOWN_OPERATION = "unknown-operation", "An operation the connector does not have.";
        UNKNOWN_FIELD = "unknown-field", "A field the operation or stream does not have.";
        MISSING_FIELD = "missing-field", "A field the operation cannot do without is not filled.";
        NULL_INTO_REQUIRED = "null-into-required", "A required field is filled from something that can be null.";
        INVALID_SQL = "invalid-sql", "A query that cannot be read, or does not fit its tables.";
        UNKNOWN_COLUMN = "unknown-column", "A column that is not there at this step.";
        DUPLICATE_COLUMN = "duplicate-column", "A step would give two columns of the same name.";
        UNKNOWN_NAME = "unknown-name", "A name that does not exist in this place.";
        UNKNOWN_PARAM = "unknown-param", "A parameter that is not declared.";
        MISSING_PARAM = "missing-param", "A parameter without a value.";
        UNKNOWN_ENVIRONMENT = "unknown-environment", "An environment the project does not have.";
        CANNOT_READ = "cannot-read", "A connector without sources is used as a source.";
        CANNOT_WRITE = "cannot-write", "A connector without sinks is used as a sink.";
        NOT_INCREMENTAL = "not-incremental", "A stream that cannot be read incrementally.";
        SOURCE_NOT_THERE = "source-not-there", "A source that is not there yet.";
        INVALID_SOURCE = "invalid-source", "The connector cannot make a source of these settings.";
        INVALID_SINK = "invalid-sink", "The connector cannot make a sink of these settings.";
    }

    // Templates and expressions.
    "mapping" {
        TEMPLATE_SYNTAX = "template-syntax", "A template or expression that cannot be read.";
        UNKNOWN_FUNCTION = "unknown-function", "A function, filter, test or aggregate that does not exist.";
        WRONG_ARGUMENTS = "wrong-arguments", "A function called with arguments it does not take.";
        BAD_MACRO = "bad-macro", "A macro that cannot be used as it is written.";
        NO_EFFECT = "no-effect", "A part of a template that changes nothing.";
        BAD_REGEX = "bad-regex", "A regular expression that cannot be read.";
        UNKNOWN_ZONE = "unknown-zone", "A time zone that does not exist.";
        TYPE_MISMATCH = "type-mismatch", "A value of one type where another is needed.";
    }
}

/// The manual's page about a code, Markdown; `None` when there is no such code.
pub fn explain(code: &str) -> Option<&'static str> {
    ALL.iter().find(|entry| entry.code == code).map(|entry| entry.page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_kebab_case_and_has_a_page_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for entry in ALL {
            assert!(seen.insert(entry.code), "`{}` stands twice in the list", entry.code);
            assert!(entry.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", entry.code);
            assert!(entry.about.ends_with('.'), "{}", entry.code);
            assert!(entry.page.starts_with(&format!("# {}: ", entry.code)), "the page of {}", entry.code);
            assert!(entry.page.len() > 150, "the page of {} says nothing", entry.code);
            assert_eq!(explain(entry.code), Some(entry.page));
        }
        assert_eq!(explain("no-such-code"), None);
    }
}
