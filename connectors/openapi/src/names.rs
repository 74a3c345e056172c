//! Names of streams and operations.

use std::collections::HashSet;

/// Names given so far: no two streams or operations have the same.
#[derive(Default)]
pub(crate) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// The name of a call: its `operationId`, or method and path, made one word; with a number behind it when it is taken.
    pub(crate) fn of(&mut self, operation_id: Option<&str>, method: &str, path: &str) -> String {
        let word = match operation_id.map(word).filter(|word| !word.is_empty()) {
            Some(word) => word,
            None => word(&format!("{method} {}", path.replace(['{', '}'], " "))),
        };
        let mut name = word.clone();
        let mut number = 2;
        while !self.taken.insert(name.clone()) {
            name = format!("{word}_{number}");
            number += 1;
        }
        name
    }
}

/// A text as one word of small letters: `getUserByID` is `get_user_by_id`.
pub(crate) fn word(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut word = String::new();
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            if !word.ends_with('_') && !word.is_empty() {
                word.push('_');
            }
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let behind = letters.get(at + 1);
        let starts = letter.is_ascii_uppercase()
            && (before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit())
                || (before.is_some_and(|before| before.is_ascii_uppercase())
                    && behind.is_some_and(char::is_ascii_lowercase)));
        if starts && !word.ends_with('_') {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    let word = word.trim_matches('_').to_owned();
    match word.chars().next() {
        Some(first) if first.is_ascii_digit() => format!("n{word}"),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (text, wanted) in [
            ("getUserByID", "get_user_by_id"),
            ("HTTPServer list", "http_server_list"),
            ("GET /users/ id /notes", "get_users_id_notes"),
            ("list-pets", "list_pets"),
            ("v2Users", "v2_users"),
            ("2fa", "n2fa"),
        ] {
            assert_eq!(word(text), wanted);
        }
    }

    #[test]
    fn no_name_is_given_twice() {
        let mut names = Names::default();
        assert_eq!(names.of(Some("list"), "GET", "/a"), "list");
        assert_eq!(names.of(Some("List"), "GET", "/b"), "list_2");
        assert_eq!(names.of(None, "GET", "/users/{id}"), "get_users_id");
        assert_eq!(names.of(Some("***"), "GET", "/users/{id}"), "get_users_id_2");
    }
}
