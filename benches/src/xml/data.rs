//! A training history: records of programmes hold the records of their modules; namespaces, entities, CDATA, elements
//! nobody asks for.

use crate::numbers::{one_of, roll};
use std::io::{Result, Write};

const TITLES: [&str; 8] = [
    "Fire safety at work",
    "Manual handling &amp; lifting",
    "<![CDATA[Health & safety: an introduction]]>",
    "Working at height",
    "Erste Hilfe f&#252;r alle",
    "Display screen equipment",
    "Data protection &lt;GDPR&gt;",
    "Asbestos awareness",
];
const TYPES: [&str; 4] = ["onlineModule", "classroom", "externalCourse", "video"];
const STATUS: [&str; 4] = ["completed", "enrolled", "incomplete", "withdrawn"];

/// Of so many records one is a programme that holds the next two.
const PROGRAMME: u64 = 8;
const NESTED: u64 = 2;

/// The name of the file.
pub(super) fn name(records: u64) -> String {
    format!("history-{records}.xml")
}

/// Writes the file.
pub(super) fn write(out: &mut impl Write, records: u64) -> Result<()> {
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<th:trainingHistory xmlns:th="urn:example:history" xmlns="urn:example:record">"#)?;
    let mut record = 0;
    while record < records {
        open(out, record, "  ")?;
        let mut next = record + 1;
        if record.is_multiple_of(PROGRAMME) {
            while next < records && next <= record + NESTED {
                open(out, next, "    ")?;
                writeln!(out, "    </trainingRecord>")?;
                next += 1;
            }
        }
        writeln!(out, "  </trainingRecord>")?;
        record = next;
    }
    writeln!(out, "</th:trainingHistory>")
}

/// A record up to where records in it can stand.
fn open(out: &mut impl Write, record: u64, indent: &str) -> Result<()> {
    let roll = roll(record);
    let (title, kind, status) = (one_of(&TITLES, roll), one_of(&TYPES, roll >> 8), one_of(&STATUS, roll >> 16));
    let day = |shift: u32| {
        let roll = roll >> shift;
        format!("{}-{:02}-{:02}T{:02}:30:00.000Z", 2015 + roll % 10, 1 + roll % 12, 1 + roll % 28, roll % 24)
    };
    writeln!(out, r#"{indent}<trainingRecord id="r{record}" revision="{}">"#, roll % 5)?;
    writeln!(out, "{indent}  <userId>person{}@acme.example</userId>", roll % 50_000)?;
    writeln!(out, "{indent}  <learningModule>")?;
    writeln!(out, "{indent}    <id>m{}</id>", roll % 997)?;
    writeln!(out, "{indent}    <title>{title}</title>")?;
    writeln!(out, "{indent}    <type>{kind}</type>")?;
    writeln!(out, "{indent}    <owner><name>Learning and Development</name><code>LD{}</code></owner>", roll % 30)?;
    writeln!(out, "{indent}  </learningModule>")?;
    writeln!(out, "{indent}  <enrollmentDate>{}</enrollmentDate>", day(20))?;
    writeln!(out, "{indent}  <startDate>{}</startDate>", day(24))?;
    if status == "completed" {
        writeln!(out, "{indent}  <endDate>{}</endDate>", day(28))?;
    }
    writeln!(out, "{indent}  <overallStatus>{status}</overallStatus>")?;
    if roll.is_multiple_of(3) {
        writeln!(out, "{indent}  <score>{}.{}</score>", (roll >> 32) % 100, (roll >> 40) % 10)?;
    }
    writeln!(out, "{indent}  <attemptCount>{}</attemptCount>", 1 + roll % 4)?;
    writeln!(out, "{indent}  <isSelfEnrolled>{}</isSelfEnrolled>", roll.is_multiple_of(2))
}
