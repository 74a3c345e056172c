//! Paths with variable parts.

/// The variable parts of a path that fits a pattern in which they are `*`, decoded; fixed parts are compared whatever their
/// capitals when `any_case`.
pub(crate) fn parts(pattern: &str, path: &str, any_case: bool) -> Option<Vec<String>> {
    let (mut wanted, mut found) = (pattern.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (wanted.next(), found.next()) {
            (None, None) => return Some(parts),
            (Some("*"), Some(part)) if !part.is_empty() => parts.push(decoded(part)?),
            (Some(wanted), Some(part)) if wanted == part || (any_case && wanted.eq_ignore_ascii_case(part)) => {}
            _ => return None,
        }
    }
}

/// A segment of a path without its percent signs; `+` stands for itself there.
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let mut digit = || (*rest.next()? as char).to_digit(16);
        bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_decoded_as_what_they_are() {
        assert_eq!(parts("/a/*/b", "/a/x%2Fy+z%20%C3%A9/b", false), Some(vec!["x/y+z é".to_owned()]));
        assert_eq!(parts("/a/*/b", "/a/x/y/b", false), None);
        assert_eq!(parts("/a/*", "/a/%zz", false), None);
        assert_eq!(parts("/A/*", "/a/B", true), Some(vec!["B".to_owned()]));
    }
}
