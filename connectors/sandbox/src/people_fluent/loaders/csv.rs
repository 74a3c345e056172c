//! CSV of content handlers, and the answer that repeats it: a sentence, the header, each row quoted with what is wrong
//! with it in one more column, and `No Error Occurred` in the last line when nothing is.

use crate::people_fluent::{
    functions::Call,
    page::Refused,
    query::refused,
    reply::{Answer, Reply},
};

const SENTENCE: &str = "Please go to the last Column to view the error";
const ALL_WELL: &str = "No Error Occurred";

/// One row by the header's names.
pub(super) struct Row<'a> {
    header: &'a [String],
    cells: &'a [String],
}

/// What became of a row.
pub(super) enum Fate {
    Done,
    Warned(String),
}

/// Why a row was turned down.
pub(super) type Outcome = Result<Fate, String>;

impl<'a> Row<'a> {
    /// A cell, without white space around it; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let at = self.header.iter().position(|column| column.trim().eq_ignore_ascii_case(name))?;
        self.cells.get(at).map(|cell| cell.trim()).filter(|cell| !cell.is_empty())
    }

    pub(super) fn required(&self, name: &str) -> Result<&'a str, String> {
        self.get(name).ok_or_else(|| format!("{name} is mandatory"))
    }

    /// A cell of no more than so many characters.
    pub(super) fn short(&self, name: &str, most: usize) -> Result<Option<&'a str>, String> {
        match self.get(name) {
            Some(cell) if cell.chars().count() > most => {
                Err(format!("{name} must not be longer than {most} characters"))
            }
            cell => Ok(cell),
        }
    }

    /// One of the actions a handler knows.
    pub(super) fn action(&self) -> Result<&'a str, String> {
        match self.required("Action")? {
            action @ ("A" | "D" | "U" | "AU") => Ok(action),
            other => Err(format!("Action {other} is not one of A, D, U, AU")),
        }
    }
}

/// Loads each row and says what became of it.
pub(super) fn load(
    call: &mut Call<'_>,
    known: &[&str],
    mut one: impl FnMut(&mut Call<'_>, &Row<'_>) -> Outcome,
) -> Answer {
    let text = String::from_utf8(call.given.body.to_vec()).map_err(|_| refused("The body is not UTF-8"))?;
    let mut lines = parse(&text)?.into_iter();
    let header = lines.next().ok_or_else(|| refused("The body has no header"))?;
    let strange = |column: &&String| {
        let column = column.trim();
        !column.starts_with("UA-") && !known.iter().any(|known| known.eq_ignore_ascii_case(column))
    };
    if let Some(column) = header.iter().find(strange) {
        return Err(refused(&format!("Unknown field in the header: {column}")));
    }
    let mut out = format!("{SENTENCE}\r\n");
    line(&mut out, header.iter().map(String::as_str).chain(["Error"]));
    let mut failed = false;
    for cells in lines {
        let message = match one(call, &Row { header: &header, cells: &cells }) {
            Ok(Fate::Done) => String::new(),
            Ok(Fate::Warned(warning)) => format!("WARNING. {warning}"),
            Err(error) => {
                failed = true;
                error
            }
        };
        let padded = (0..header.len()).map(|at| cells.get(at).map_or("", String::as_str));
        line(&mut out, padded.chain([message.as_str()]));
    }
    if !failed {
        out.push_str(ALL_WELL);
        out.push_str("\r\n");
    }
    Ok(Reply::Text("text/plain;charset=UTF-8", out))
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = &'a str>) {
    let quoted: Vec<String> = cells.map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
    out.push_str(&quoted.join(","));
    out.push_str("\r\n");
}

/// Lines of cells; quoted cells may hold commas, quotation marks (doubled) and line ends. Blank lines are none.
fn parse(text: &str) -> Result<Vec<Vec<String>>, Refused> {
    let (mut lines, mut cells, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut characters = text.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => cell.extend(characters.next()),
            '"' => quoted = !quoted,
            c if quoted => cell.push(c),
            ',' => cells.push(std::mem::take(&mut cell)),
            '\r' => {}
            '\n' => end(&mut lines, &mut cells, &mut cell),
            c => cell.push(c),
        }
    }
    end(&mut lines, &mut cells, &mut cell);
    if quoted { Err(refused("A quoted field does not end")) } else { Ok(lines) }
}

fn end(lines: &mut Vec<Vec<String>>, cells: &mut Vec<String>, cell: &mut String) {
    if !cells.is_empty() || !cell.is_empty() {
        cells.push(std::mem::take(cell));
        lines.push(std::mem::take(cells));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_hold_anything() {
        let lines = parse("\u{feff}A,B\r\n\"x,\"\"y\"\"\",\"1\n2\"\r\n\r\n,z").ok().expect("CSV");
        assert_eq!(lines, [["A", "B"], ["x,\"y\"", "1\n2"], ["", "z"]]);
        assert!(parse("a,\"b").is_err());
    }
}
