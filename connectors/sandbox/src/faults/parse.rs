//! The text form of faults; its grammar stands in the parent module.

use std::time::Duration;

use super::{Fault, FaultError, Faults, RetryAfter, Rule, Selection, When};

const WORDS: &str = "a status from 400 to 599, cut, cut-body, truncate, malformed, utf8, html, empty, redirect, bomb, content-type, slow, \
                     hold, refuse or expire";

pub(super) fn parse(text: &str) -> Result<Faults, FaultError> {
    let mut faults = Faults::default();
    for rule in text.split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
        let mut parts = Parts::of(rule)?;
        if parts.word == "expire" {
            faults.token_uses = Some(parts.number("uses")?.ok_or_else(|| parts.problem("`uses=N` is missing"))?);
        } else {
            let fault = fault(&mut parts)?;
            let selection = selection(&mut parts)?;
            faults.rules.push(Rule { fault, selection });
        }
        parts.finish()?;
    }
    Ok(faults)
}

fn fault(parts: &mut Parts<'_>) -> Result<Fault, FaultError> {
    Ok(match parts.word {
        "cut" => Fault::Cut { when: when(parts)? },
        "cut-body" => Fault::CutBody { bytes: bytes(parts)? },
        "truncate" => Fault::Truncate { bytes: bytes(parts)? },
        "malformed" => Fault::Malformed { bytes: bytes(parts)? },
        "utf8" => Fault::InvalidUtf8 { bytes: bytes(parts)? },
        "html" => Fault::Html { when: when(parts)? },
        "empty" => Fault::Empty { when: when(parts)? },
        "redirect" => Fault::Redirect { to: parts.take("to").ok_or_else(|| parts.problem("`to=URL` is missing"))? },
        "bomb" => Fault::EntityBomb,
        "content-type" => {
            Fault::ContentType { value: parts.take("type").unwrap_or_else(|| "application/octet-stream".into()) }
        }
        "slow" => Fault::Slow {
            delay: Duration::from_millis(parts.number("ms")?.ok_or_else(|| parts.problem("`ms=N` is missing"))?),
        },
        "hold" => Fault::Hold,
        "refuse" => Fault::Refuse {
            message: parts.take("message").unwrap_or_else(|| "The training could not be uploaded.".into()),
        },
        word => match word.parse() {
            Ok(code @ 400..=599) => Fault::Status { code, when: when(parts)?, retry_after: retry_after(parts)? },
            _ => return Err(parts.problem(&format!("`{word}` is no fault; expected {WORDS}"))),
        },
    })
}

fn selection(parts: &mut Parts<'_>) -> Result<Selection, FaultError> {
    let selection = Selection {
        operation: parts.take("op"),
        path: parts.take("path"),
        method: parts.take("method"),
        body: parts.take("body"),
        skip: parts.number("skip")?.unwrap_or(0),
        first: parts.number("first")?,
        every: parts.number("every")?,
        nth: parts.number("nth")?,
    };
    match selection.every {
        Some(0) => Err(parts.problem("`every` counts from 1")),
        _ => Ok(selection),
    }
}

fn when(parts: &mut Parts<'_>) -> Result<When, FaultError> {
    match parts.take("when").as_deref() {
        None | Some("before") => Ok(When::Before),
        Some("after") => Ok(When::After),
        Some(other) => Err(parts.problem(&format!("`when` is `before` or `after`, not `{other}`"))),
    }
}

fn bytes(parts: &mut Parts<'_>) -> Result<Option<usize>, FaultError> {
    Ok(parts.number("bytes")?.map(|bytes| bytes as usize))
}

fn retry_after(parts: &mut Parts<'_>) -> Result<Option<RetryAfter>, FaultError> {
    let Some(text) = parts.take("retry_after") else {
        return Ok(None);
    };
    let (date, seconds) = match text.strip_prefix("date+") {
        Some(seconds) => (true, seconds),
        None => (false, text.as_str()),
    };
    let seconds = seconds.parse().map_err(|_| parts.problem("`retry_after` is SECONDS or date+SECONDS"))?;
    Ok(Some(if date { RetryAfter::Date(seconds) } else { RetryAfter::Seconds(seconds) }))
}

/// The parts of one rule; those taken are gone, so that what remains at the end is unknown.
struct Parts<'a> {
    rule: &'a str,
    word: &'a str,
    pairs: Vec<(&'a str, String)>,
}

impl<'a> Parts<'a> {
    fn of(rule: &'a str) -> Result<Self, FaultError> {
        let mut pieces = rule.split(':').map(str::trim);
        let mut parts = Self { rule, word: pieces.next().unwrap_or_default(), pairs: Vec::new() };
        for piece in pieces {
            let (key, value) =
                piece.split_once('=').ok_or_else(|| parts.problem(&format!("`{piece}` is not `key=value`")))?;
            let value = value.replace("%2C", ",").replace("%3A", ":").replace("%25", "%");
            parts.pairs.push((key.trim(), value));
        }
        Ok(parts)
    }

    fn take(&mut self, key: &str) -> Option<String> {
        let at = self.pairs.iter().position(|(known, _)| *known == key)?;
        Some(self.pairs.remove(at).1)
    }

    fn number(&mut self, key: &str) -> Result<Option<u64>, FaultError> {
        let Some(text) = self.take(key) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| self.problem(&format!("`{key}` is a number, not `{text}`")))
    }

    fn finish(&self) -> Result<(), FaultError> {
        match self.pairs.first() {
            Some((key, _)) => {
                Err(self.problem(&format!("`{key}` does not go with `{}`, or is given twice", self.word)))
            }
            None => Ok(()),
        }
    }

    fn problem(&self, problem: &str) -> FaultError {
        FaultError { rule: self.rule.to_owned(), problem: problem.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rules_with_selections() {
        let faults = parse("503:every=7, 429:first=3:retry_after=date+2,cut:when=after:op=Token:nth=5,expire:uses=9")
            .expect("rules");
        assert_eq!(faults.token_uses, Some(9));
        assert_eq!(
            faults.rules[0],
            Rule {
                fault: Fault::Status { code: 503, when: When::Before, retry_after: None },
                selection: Selection { every: Some(7), ..Selection::default() },
            }
        );
        assert_eq!(
            faults.rules[1].fault,
            Fault::Status { code: 429, when: When::Before, retry_after: Some(RetryAfter::Date(2)) }
        );
        assert_eq!(faults.rules[2].fault, Fault::Cut { when: When::After });
        assert_eq!(parse("refuse:message=a%2C b%3A 5%25").expect("rule").rules[0].fault.word(), "refuse");
        assert_eq!(parse("").expect("nothing"), Faults::none());
    }

    #[test]
    fn says_what_it_does_not_understand() {
        for (text, said) in [
            ("200", "`200` is no fault"),
            ("melt", "`melt` is no fault"),
            ("500:every", "not `key=value`"),
            ("500:every=x", "`every` is a number"),
            ("500:every=0", "counts from 1"),
            ("slow", "`ms=N` is missing"),
            ("cut:when=never", "`before` or `after`"),
            ("truncate:when=after", "`when` does not go with `truncate`"),
        ] {
            let error = parse(text).expect_err(text).to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn selections_count_from_one() {
        let struck = |text: &str| -> Vec<u64> {
            let rule = parse(text).expect("rule").rules.remove(0);
            (1..=10).filter(|count| rule.selection.strikes(*count)).collect()
        };
        assert_eq!(struck("500:first=2"), [1, 2]);
        assert_eq!(struck("500:every=4"), [4, 8]);
        assert_eq!(struck("500:nth=3"), [3]);
        assert_eq!(struck("500:skip=6:first=2"), [7, 8]);
        assert_eq!(struck("500:skip=8"), [9, 10]);
    }
}
