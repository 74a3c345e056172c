//! YAML for people: indented, one fact a line, comments where something was guessed.

/// A text of YAML while it is written.
#[derive(Default)]
pub(crate) struct Page {
    text: String,
    depth: usize,
}

impl Page {
    /// A line at the present depth.
    pub(crate) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.push_str(&"  ".repeat(self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    pub(crate) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    /// `key: value` with quotes where they are needed.
    pub(crate) fn pair(&mut self, key: &str, value: &str) {
        self.line(&format!("{}: {}", scalar(key), scalar(value)));
    }

    /// `key: [a, b]`
    pub(crate) fn list(&mut self, key: &str, items: &[String]) {
        let items: Vec<String> = items.iter().map(|item| scalar(item)).collect();
        self.line(&format!("{}: [{}]", scalar(key), items.join(", ")));
    }

    /// `key:`, with what follows under it.
    pub(crate) fn open(&mut self, key: &str) {
        self.line(&format!("{}:", scalar(key)));
        self.depth += 1;
    }

    pub(crate) fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    pub(crate) fn top(&mut self) {
        self.depth = 0;
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// A text as a scalar that is read back as that text.
pub(crate) fn scalar(text: &str) -> String {
    let is_word =
        |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '/' | '.' | '$' | '(' | ')' | ' ' | ';' | '+');
    let is_plain = !text.is_empty()
        && text.chars().all(is_word)
        && text.starts_with(|c: char| c.is_alphabetic() || c == '/' || c == '$')
        && !text.ends_with(' ')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        );
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

/// `{a: 1, b: 2}` of pairs already written.
pub(crate) fn inline(pairs: &[(&str, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", pairs.join(", "))
}

/// A template that reads a name of a scope.
pub(crate) fn template(scope: &str, name: &str) -> String {
    let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty();
    if is_name {
        format!("{{{{ {scope}.{name} }}}}")
    } else {
        format!("{{{{ {scope}['{}'] }}}}", name.replace('\'', "\\'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_come_back_as_they_were() {
        for text in [
            "a",
            "a: b",
            "yes",
            "007",
            "- x",
            "",
            "it's \"so\"",
            "line\nbreak",
            "{{ params.id }}",
            "$.data[*]",
            "#",
            "~",
        ] {
            let back: String = serde_yaml::from_str(&scalar(text)).expect("YAML");
            assert_eq!(back, text);
        }
    }
}
