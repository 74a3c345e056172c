//! The field selector of the XML reads, `field1(child1,child2),field2`: which elements a document keeps.

/// Which children of an element are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    /// The element and all below it.
    Everything,
    Only(Vec<(String, Selector)>),
}

impl Selector {
    /// Reads a selector; none when parentheses do not match or a name is missing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self::Everything);
        }
        let mut rest = text;
        let fields = fields(&mut rest, 0)?;
        rest.is_empty().then_some(fields)
    }

    /// What is kept of the child of that name; none when the child itself is not.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Everything => Some(self),
            Self::Only(fields) => fields.iter().find(|(field, _)| field == name).map(|(_, selector)| selector),
        }
    }
}

/// More levels than any document here has.
const MOST_LEVELS: usize = 16;

fn fields(rest: &mut &str, level: usize) -> Option<Selector> {
    if level > MOST_LEVELS {
        return None;
    }
    let mut found = Vec::new();
    loop {
        let end = rest.find([',', '(', ')']).unwrap_or(rest.len());
        let name = rest[..end].trim();
        *rest = &rest[end..];
        if name.is_empty() {
            return None;
        }
        let mut selector = Selector::Everything;
        if let Some(inside) = rest.strip_prefix('(') {
            *rest = inside;
            selector = fields(rest, level + 1)?;
            *rest = rest.strip_prefix(')')?.trim_start();
        }
        found.push((name.to_owned(), selector));
        match rest.strip_prefix(',') {
            Some(next) => *rest = next,
            None => return Some(Selector::Only(found)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selects_by_name_at_each_level() {
        let selector = Selector::parse("userId, learningModule(id,title),endDate").expect("a selector");
        assert!(selector.child("userId").is_some() && selector.child("score").is_none());
        let module = selector.child("learningModule").expect("kept");
        assert!(module.child("title").is_some() && module.child("type").is_none());
        assert_eq!(Selector::parse(" "), Some(Selector::Everything));
    }

    #[test]
    fn refuses_what_does_not_match() {
        for text in ["a(b", "a)", "a,,b", "a(b)c", "()", &"a(".repeat(100)] {
            assert_eq!(Selector::parse(text), None, "{text}");
        }
    }
}
