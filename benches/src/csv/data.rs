//! People: id, first name with spaces around it, last name, a code, a date in two formats, a score.

use crate::numbers::{one_of, roll};
use std::io::{Result, Write};

const FIRST: [&str; 12] =
    ["Anna", "Björn", " Chloe", "David ", "Eve", "Farid", " Gwen ", "Hana", "Ian", "JOSE", "Kim", "Lars"];
const LAST: [&str; 10] = ["Smith", "Okafor", "García", "Ng", "Nowak", "O'Brien", "Evans", "Müller", "Singh", "Lee"];
const STATUS: [&str; 4] = ["P", "F", "I", "N"];

/// The name of the file.
pub(super) fn name(rows: u64) -> String {
    format!("people-{rows}.csv")
}

/// Writes the file.
pub(super) fn write(out: &mut impl Write, rows: u64) -> Result<()> {
    writeln!(out, "id,first,last,status,joined,score")?;
    for row in 0..rows {
        let roll = roll(row);
        let (first, last, status) = (one_of(&FIRST, roll), one_of(&LAST, roll >> 8), one_of(&STATUS, roll >> 16));
        let (year, month, day) = (2015 + (roll >> 20) % 10, 1 + (roll >> 28) % 12, 1 + (roll >> 36) % 28);
        let (whole, tenth) = ((roll >> 44) % 100, (roll >> 52) % 10);
        write!(out, "{row},{first},{last},{status},")?;
        if roll >> 63 == 0 {
            write!(out, "{year}-{month:02}-{day:02}")?;
        } else {
            write!(out, "{day:02}/{month:02}/{year}")?;
        }
        writeln!(out, ",{whole}.{tenth}")?;
    }
    Ok(())
}
