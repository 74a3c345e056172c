//! What is checked before any parser sees the text: encoding, size, control characters.

use super::MAX_BYTES;
use crate::codes;
use crate::diagnostic::Diagnostic;
use crate::source_text::{FileId, Span};

/// The bytes of a file as text. A byte order mark at the start is kept; the parser skips it.
///
/// # Errors
/// A sentence with line, column and value of the first byte that is not UTF-8.
pub fn read_text(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let before = bytes.get(..at).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[line_start..]).chars().count() + 1;
        let hint = match bytes {
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "; it looks like UTF-16: save it as UTF-8",
            _ => "; save it as UTF-8",
        };
        let byte = bytes.get(at).copied().unwrap_or_default();
        format!("not UTF-8: byte 0x{byte:02x} at line {line}, column {column}{hint}")
    })
}

/// Refuses text that is too large or holds characters no document has.
pub(super) fn check(text: &str, file: FileId) -> Result<(), Diagnostic> {
    if text.len() > MAX_BYTES {
        let limit = MAX_BYTES / (1024 * 1024);
        let message = format!("the file has {} bytes, more than the {limit} MiB a document may have", text.len());
        return Err(Diagnostic::error(codes::FILE_TOO_LARGE, Span::new(file, 0, 0), message)
            .help("keep data in files of its own and name them with a `path:`"));
    }
    let control = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    match text.as_bytes().iter().position(control) {
        None => Ok(()),
        Some(at) => {
            let byte = text.as_bytes()[at];
            let message = format!("found the control character U+{byte:04X}, which no document may hold");
            let help = if byte == 0 {
                "is this a text file? UTF-16 and binary files cannot be read"
            } else {
                "remove it, or write it as an escape inside double quotes, e.g. \"\\x1b\""
            };
            Err(Diagnostic::error(codes::CONTROL_CHARACTER, Span::new(file, at, at + 1), message).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bad_byte_is_named_with_its_place() {
        let found = read_text(b"a: \xc3\xa4\nb: \xc3\xa4\xff".to_vec()).expect_err("0xff is never UTF-8");
        assert_eq!(found, "not UTF-8: byte 0xff at line 2, column 5; save it as UTF-8");
        let found = read_text(vec![0xff, 0xfe, b'a', 0]).expect_err("a UTF-16 mark is not UTF-8");
        assert!(found.contains("line 1, column 1") && found.contains("UTF-16"), "{found}");
        assert_eq!(read_text("\u{feff}a: 1".into()).as_deref(), Ok("\u{feff}a: 1"));
    }
}
