//! Files as they would come from an LMS: a certificate as PDF, a content package as ZIP. Small, but such as readers of
//! these formats accept.

use std::fmt::Write as _;

/// A PDF of one page with lines of text.
pub(super) fn pdf(lines: &[&str]) -> Vec<u8> {
    let mut page = String::from("BT /F1 16 Tf 60 760 Td 22 TL\n");
    for line in lines {
        // The font has no characters beyond ASCII.
        let plain: String = line.chars().map(|c| if c.is_ascii() && !c.is_control() { c } else { '?' }).collect();
        let escaped = plain.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(page, "({escaped}) Tj T*");
    }
    page.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(out.len());
        let _ = write!(out, "{number} 0 obj\n{object}\nendobj\n");
    }
    let table = out.len();
    let _ = write!(out, "xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for place in places {
        let _ = writeln!(out, "{place:010} 00000 n ");
    }
    let _ = write!(out, "trailer << /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1);
    out.into_bytes()
}

/// A ZIP of one file, stored as it is.
pub(super) fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let (length, sum) = (content.len() as u32, crc32(content));
    // Version 2.0, no flags, stored, the first moment the format knows.
    let mut about = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0];
    for number in [sum, length, length] {
        about.extend(number.to_le_bytes());
    }
    about.extend((name.len() as u16).to_le_bytes());
    about.extend([0, 0]);
    let mut out = b"PK\x03\x04".to_vec();
    out.extend(&about);
    out.extend(name.as_bytes());
    out.extend(content);
    let directory = out.len() as u32;
    out.extend(b"PK\x01\x02\x14\x00");
    out.extend(&about);
    // No comment, first disk, no attributes, the file at the beginning.
    out.extend([0; 14]);
    out.extend(name.as_bytes());
    let size = out.len() as u32 - directory;
    out.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    out.extend(size.to_le_bytes());
    out.extend(directory.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn the_objects_of_a_pdf_are_where_its_table_says() {
        let bytes = pdf(&["Zoë (first) of \\ many"]);
        let text = String::from_utf8(bytes).expect("ASCII");
        let start: usize = text.lines().rev().nth(1).and_then(|line| line.parse().ok()).expect("startxref");
        assert!(text[start..].starts_with("xref\n0 6\n"));
        for (number, line) in (1..).zip(text[start..].lines().skip(3).take(5)) {
            let place: usize = line[..10].parse().expect("a place");
            assert!(text[place..].starts_with(&format!("{number} 0 obj")), "{line}");
        }
    }

    #[test]
    fn the_directory_of_a_zip_is_where_its_end_says() {
        let bytes = zip("imsmanifest.xml", b"<manifest/>");
        let end = bytes.len() - 22;
        assert_eq!(&bytes[end..end + 4], b"PK\x05\x06");
        let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
        assert_eq!(number(end + 16) + number(end + 12), end);
        assert_eq!(&bytes[number(end + 16)..][..4], b"PK\x01\x02");
    }
}
