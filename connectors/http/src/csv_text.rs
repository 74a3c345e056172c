//! CSV in bodies and in answers.

use csv::{QuoteStyle, Terminator};
use serde_json::{Map, Value as Json};

/// How a body in CSV is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CsvStyle {
    pub(crate) quote_always: bool,
    pub(crate) crlf: bool,
}

/// Lines of fields as one text.
pub(crate) fn write(style: CsvStyle, lines: &[Vec<String>]) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .quote_style(if style.quote_always { QuoteStyle::Always } else { QuoteStyle::Necessary })
        .terminator(if style.crlf { Terminator::CRLF } else { Terminator::Any(b'\n') })
        .from_writer(Vec::new());
    for line in lines {
        writer.write_record(line).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

/// Lines of fields of a text; blank lines are left out.
///
/// # Errors
/// Where it is no CSV.
pub(crate) fn lines(text: &str, delimiter: u8, skip_lines: usize) -> Result<Vec<Vec<String>>, String> {
    let mut rest = text.trim_start_matches('\u{feff}');
    for _ in 0..skip_lines {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    let reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(rest.as_bytes());
    let records = reader.into_records().map(|record| {
        let record = record.map_err(|error| error.to_string())?;
        Ok(record.iter().map(str::to_owned).collect())
    });
    records.collect()
}

/// Records of a text whose first line, behind those that are skipped, names the fields; `wanted` must be among them.
///
/// # Errors
/// Where it is no CSV, a wanted field that is none, or a line that has another number of fields than the header.
pub(crate) fn records(text: &str, delimiter: u8, skip_lines: usize, wanted: &[String]) -> Result<Vec<Json>, String> {
    let mut lines = lines(text, delimiter, skip_lines)?.into_iter();
    let Some(header) = lines.next() else { return Ok(Vec::new()) };
    let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
    if let Some(twice) = header.iter().enumerate().find(|(at, name)| header[..*at].contains(name)) {
        return Err(format!("two columns are named `{}`", twice.1));
    }
    // A name that is not there would be null in every row.
    if let Some(absent) = wanted.iter().find(|name| !header.contains(name)) {
        let names: Vec<String> = header.iter().map(|name| format!("`{name}`")).collect();
        return Err(format!("its header has no `{absent}`: it is {}", names.join(", ")));
    }
    lines
        .enumerate()
        .map(|(at, line)| {
            if line.len() != header.len() {
                return Err(format!("record {} has {} fields, expected {}", at + 1, line.len(), header.len()));
            }
            let fields = header.iter().cloned().zip(line.into_iter().map(Json::from));
            Ok(Json::Object(fields.collect::<Map<_, _>>()))
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn records_by_their_header() {
        let text = "\u{feff}made today\r\nId;Name\r\n\"007\";\"A;\"\"B\"\"\nC\"\r\n\r\n8;\r\n";
        let expected = vec![json!({"Id": "007", "Name": "A;\"B\"\nC"}), json!({"Id": "8", "Name": ""})];
        assert_eq!(records(text, b';', 1, &["Name".to_owned()]).unwrap(), expected);
        assert_eq!(records("", b',', 0, &["a".to_owned()]).unwrap(), Vec::<Json>::new());
        assert_eq!(records("a,b\n", b',', 0, &[]).unwrap(), Vec::<Json>::new());
        assert!(records("a,b\n1\n", b',', 0, &[]).unwrap_err().contains("record 1 has 1 fields, expected 2"));
        let absent = records("a,b\n", b',', 0, &["c".to_owned()]).unwrap_err();
        assert_eq!(absent, "its header has no `c`: it is `a`, `b`");
        assert!(records("a,a\n1,2\n", b',', 0, &[]).unwrap_err().contains("two columns are named `a`"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let rows = vec![vec!["a".to_owned(), String::new()], vec!["x,\"y\"".to_owned(), "1\n2".to_owned()]];
        let always = write(CsvStyle { quote_always: true, crlf: true }, &rows).unwrap();
        assert_eq!(String::from_utf8(always).unwrap(), "\"a\",\"\"\r\n\"x,\"\"y\"\"\",\"1\n2\"\r\n");
        let needed = String::from_utf8(write(CsvStyle { quote_always: false, crlf: false }, &rows).unwrap()).unwrap();
        assert_eq!(needed, "a,\n\"x,\"\"y\"\"\",\"1\n2\"\n");
        assert_eq!(lines(&needed, b',', 0).unwrap(), rows);
    }
}
