//! Records out of XML of any size, from any [`BufRead`](std::io::BufRead): a file, a decompressor, an HTTP body.
//!
//! A [`Selector`] says which element is a record and what its columns are; [`Records`] reads the document once, from
//! front to back, and gives batches of text columns. Memory is bounded by one batch, whatever the size of the
//! document: only what a column asks for is kept, everything else is passed over by counting depth.
//!
//! Names are compared by their local part, so prefixes and namespaces play no part. Elements and attributes nobody
//! asked for are ignored. Entities a DTD defines are never expanded: they are an error, as is everything an XML
//! parser must refuse.
//!
//! # Selectors
//!
//! Records: `/root/a/b` from the top, `//b` at any depth, `*` for any name, `//` between any two steps. A record
//! inside a record is a row of its own and comes before the one it is in, because rows come out where they end.
//!
//! Fields, relative to the record:
//!
//! | selector | gives |
//! |---|---|
//! | `a/b` | text of the first such element, with all text inside it |
//! | `.` | text of the record itself |
//! | `@id`, `a/@id` | an attribute |
//! | `../x`, `../@id`, `../../x` | from the element around the record |
//! | `^/x`, `^@id` | from the nearest record around this one |
//! | `a[]`, `a[]/b`, `a/@id[]` | all of them, as a list |
//!
//! What is taken from around a record must stand before it in the document; when it turns up later, that is an error
//! and not a null. An element without any text is null, as an empty field of a CSV file is; an attribute of no
//! characters and an empty CDATA section are empty text; nothing found is null, or a list without items.

mod columns;
mod decode;
mod error;
mod records;
mod selector;
mod token;
mod walk;
mod window;

pub(crate) use decode::decoding;
pub use error::{XmlError, XmlErrorKind};
pub use records::{Limits, Records, XmlBatch};
pub use selector::Selector;
