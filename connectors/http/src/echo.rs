//! Answers that repeat the records of a call as CSV, with what is wrong with each in one column.
//!
//! Line n of the echo is record n of the call. An echo with another number of lines tells nothing about any record: a
//! line too few may be missing anywhere.

use serde_json::{Map, Value as Json};

/// How an echo is read.
#[derive(Debug, Clone)]
pub(crate) struct EchoPlan {
    pub(crate) skip_lines: usize,
    pub(crate) header: bool,
    /// The column with the message; the last one when none.
    pub(crate) column: Option<String>,
    pub(crate) warning_prefix: Option<String>,
    pub(crate) success_text: Option<String>,
}

/// What an echo says of one record.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Line {
    Done {
        /// The line by the header's names; null without one.
        row: Json,
        warning: Option<String>,
    },
    Refused(String),
}

type Row = Vec<String>;

impl EchoPlan {
    /// What became of so many records.
    ///
    /// # Errors
    /// Why nobody can tell.
    pub(crate) fn read(&self, text: &str, records: usize) -> Result<Vec<Line>, String> {
        let text = text.trim_start_matches('\u{feff}');
        let mut rows = parse(after_lines(text, self.skip_lines))?;
        let header = if self.header && !rows.is_empty() { rows.remove(0) } else { Row::new() };
        let says_done = |text: &str| self.success_text.as_deref().is_some_and(|done| text.contains(done));
        let all_done = text.trim_end().lines().next_back().is_some_and(says_done);
        // A closing line that only says that all went well is no record's.
        if all_done && rows.len() == records + 1 {
            rows.pop();
        }
        let at = self.message_column(&header, &rows)?;
        let lines: Vec<Line> = rows.iter().map(|row| self.line(&header, row, at)).collect();
        let silent = lines.iter().all(|line| matches!(line, Line::Done { warning: None, .. }));
        let refused = lines.iter().any(|line| matches!(line, Line::Refused(_)));
        if lines.len() != records {
            // It need not repeat what is all done.
            if all_done && !refused {
                return Ok(vec![Line::Done { row: Json::Null, warning: None }; records]);
            }
            return Err(format!("the answer has {} for {}", count(lines.len(), "line"), count(records, "record")));
        }
        match &self.success_text {
            Some(done) if silent && !all_done => Err(format!("the answer says neither what is wrong nor `{done}`")),
            _ => Ok(lines),
        }
    }

    /// Where the messages are: in a column of that name, or in the last one of the longest line.
    fn message_column(&self, header: &Row, rows: &[Row]) -> Result<usize, String> {
        match &self.column {
            Some(name) => header
                .iter()
                .position(|column| column.trim() == name)
                .ok_or_else(|| format!("the answer has no column `{name}`")),
            None => Ok(rows.iter().chain([header]).map(Vec::len).max().unwrap_or_default().saturating_sub(1)),
        }
    }

    fn line(&self, header: &Row, row: &Row, at: usize) -> Line {
        let message = row.get(at).map(|text| text.trim()).unwrap_or_default();
        let done = self.success_text.as_deref().is_some_and(|done| message.contains(done));
        let warns = self.warning_prefix.as_deref().is_some_and(|prefix| message.starts_with(prefix.trim_end()));
        if !message.is_empty() && !done && !warns {
            return Line::Refused(message.to_owned());
        }
        let cells = header.iter().zip(row).map(|(name, cell)| (name.trim().to_owned(), Json::from(cell.as_str())));
        let row = if header.is_empty() { Json::Null } else { Json::Object(cells.collect::<Map<_, _>>()) };
        Line::Done { row, warning: warns.then(|| message.to_owned()) }
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// The text behind so many lines.
fn after_lines(text: &str, lines: usize) -> &str {
    let mut rest = text;
    for _ in 0..lines {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    rest
}

fn parse(text: &str) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.map(|row| row.iter().map(str::to_owned).collect()));
    rows.collect::<Result<_, _>>().map_err(|error| format!("the answer is no CSV: {error}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> EchoPlan {
        EchoPlan {
            skip_lines: 1,
            header: true,
            column: None,
            warning_prefix: Some("WARNING. ".to_owned()),
            success_text: Some("No Error Occurred".to_owned()),
        }
    }

    const HEAD: &str = "Please go to the last Column to view the error\r\n\"ID\",\"Title\",\"Error\"\r\n";

    fn done(row: Json) -> Line {
        Line::Done { row, warning: None }
    }

    #[test]
    fn each_line_says_what_became_of_its_record() {
        let text = format!(
            "{HEAD}\"1\",\"a, \"\"b\"\"\",\"\"\r\n\"2\",\"line\r\nbreak\",\"No such user\"\r\n\"3\",\"c\",\"WARNING. Late\"\r\n"
        );
        let lines = plan().read(&text, 3).unwrap();
        assert_eq!(lines[0], done(json!({"ID": "1", "Title": "a, \"b\"", "Error": ""})));
        assert_eq!(lines[1], Line::Refused("No such user".to_owned()));
        assert!(matches!(&lines[2], Line::Done { warning: Some(text), .. } if text == "WARNING. Late"));
    }

    #[test]
    fn the_closing_line_says_that_all_is_done_with_lines_or_without() {
        let both = format!("{HEAD}\"1\",\"a\",\"\"\r\n\"2\",\"b\",\"\"\r\n\"No Error Occurred\"\r\n");
        assert_eq!(plan().read(&both, 2).unwrap().len(), 2);
        let in_the_last = format!("{HEAD}\"1\",\"a\",\"\"\r\n\"2\",\"b\",\"No Error Occurred\"\r\n");
        assert_eq!(plan().read(&in_the_last, 2).unwrap().len(), 2);
        let alone = format!("{HEAD}No Error Occurred\r\n");
        assert_eq!(plan().read(&alone, 2).unwrap(), vec![done(Json::Null); 2]);
        assert_eq!(plan().read("No Error Occurred", 1).unwrap(), [done(Json::Null)]);
    }

    #[test]
    fn another_number_of_lines_tells_nothing() {
        let short = format!("{HEAD}\"1\",\"a\",\"No such user\"\r\n");
        assert_eq!(plan().read(&short, 2).unwrap_err(), "the answer has 1 line for 2 records");
        assert_eq!(plan().read(HEAD, 1).unwrap_err(), "the answer has 0 lines for 1 record");
        assert!(plan().read("", 1).is_err());
        let contradicts = format!("{HEAD}\"1\",\"a\",\"No such user\"\r\n\"No Error Occurred\"");
        assert!(plan().read(&contradicts, 3).is_err());
    }

    #[test]
    fn silence_is_no_success_where_success_has_words() {
        let text = format!("{HEAD}\"1\",\"a\",\"\"\r\n");
        assert!(plan().read(&text, 1).unwrap_err().contains("neither"));
        let plain = EchoPlan { success_text: None, ..plan() };
        assert_eq!(plain.read(&text, 1).unwrap().len(), 1);
    }

    #[test]
    fn the_column_of_the_message_can_have_a_name() {
        let named = EchoPlan { column: Some("Result".to_owned()), skip_lines: 0, success_text: None, ..plan() };
        let lines = named.read("Result,ID\nbad id,1\n,2\n", 2).unwrap();
        assert_eq!(lines[0], Line::Refused("bad id".to_owned()));
        assert!(named.read("Fault,ID\n,1\n", 1).unwrap_err().contains("`Result`"));
    }

    /// Whatever comes back, each record has its line or nobody can tell.
    #[test]
    fn fuzz_echoes() {
        use proptest::prelude::*;
        const PIECES: &[&str] = &[
            "a,b,Error\n",
            "1,2,\n",
            "1,2,WARNING. x\n",
            "x,",
            ",",
            "\"",
            "\"\"",
            "\n",
            "\r\n",
            "\r",
            "No Error Occurred",
            "WARNING.",
            ";",
            "\u{feff}",
            "\0",
        ];
        let column = proptest::option::of(proptest::sample::select(vec!["Error", "a", "nowhere"]));
        let plans = (0..3_usize, any::<bool>(), column, any::<bool>(), any::<bool>());
        let inputs = (plans, towpath_fuzz::soup(PIECES, 30), 0..6_usize);
        towpath_fuzz::fuzz(
            "CSV echoes",
            4_000,
            inputs,
            |((skip_lines, header, column, warns, done), text, records)| {
                let plan = EchoPlan {
                    skip_lines,
                    header,
                    column: column.map(str::to_owned),
                    warning_prefix: warns.then(|| "WARNING. ".to_owned()),
                    success_text: done.then(|| "No Error Occurred".to_owned()),
                };
                if let Ok(lines) = plan.read(&text, records) {
                    prop_assert_eq!(lines.len(), records);
                }
                let _ = crate::csv_text::records(&text, b',', skip_lines, &[]);
                Ok(())
            },
        );
    }
}
