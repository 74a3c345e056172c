//! From text to MiniJinja's syntax tree, with guards against what would overflow the stack.

use std::ops::Range;

use minijinja::machinery::{Token, ast, parse, parse_expr, tokenize};
use towpath_spec::{Code, Diagnostic, Files, Text};

use crate::slips;

pub(crate) const SYNTAX: Code = towpath_spec::codes::TEMPLATE_SYNTAX;

/// Operators, filters and brackets one may be inside of at any point of an expression. The parser, the checker and
/// Polars all descend once for each.
pub(crate) const MAX_DEPTH: usize = 120;

/// Parses a template: text with `{{ }}` and `{% %}`.
pub(crate) fn template<'t>(text: &'t Text, files: &Files) -> Result<ast::Stmt<'t>, Vec<Diagnostic>> {
    guard(text, files, false)?;
    parse(&text.value, "<template>", Default::default()).map_err(|error| vec![syntax_error(text, files, &error, false)])
}

/// Parses a bare expression.
pub(crate) fn expression<'t>(text: &'t Text, files: &Files) -> Result<ast::Expr<'t>, Vec<Diagnostic>> {
    if text.value.trim_start().starts_with("{{") {
        let span = files.inside(text, 0, text.value.len());
        return Err(vec![
            Diagnostic::error(SYNTAX, span, "found `{{ }}` where a bare expression is expected")
                .help("write the expression without the braces"),
        ]);
    }
    guard(text, files, true)?;
    parse_expr(&text.value).map_err(|error| vec![syntax_error(text, files, &error, true)])
}

/// Refuses nesting that would overflow the stack of the parser or of those who read its tree.
fn guard(text: &Text, files: &Files, bare: bool) -> Result<(), Vec<Diagnostic>> {
    // One counter for each open bracket: how many operators of the present argument are around the next operand.
    let mut open: Vec<usize> = vec![0];
    // One for each open block: how many branches it has so far.
    let mut blocks: Vec<usize> = Vec::new();
    for token in tokenize(&text.value, bare, Default::default()) {
        let Ok((token, span)) = token else {
            return Ok(());
        };
        match token {
            Token::VariableStart | Token::BlockStart => open = vec![0],
            Token::BracketOpen | Token::ParenOpen | Token::BraceOpen => open.push(0),
            Token::BracketClose | Token::ParenClose | Token::BraceClose => drop(open.pop()),
            Token::Comma => open.last_mut().into_iter().for_each(|count| *count = 0),
            Token::Ident("if" | "for" | "elif" | "not" | "and" | "or" | "is" | "in" | "else") => bump(&mut open),
            Token::Plus | Token::Minus | Token::Mul | Token::Div | Token::FloorDiv | Token::Pow | Token::Mod => {
                bump(&mut open);
            }
            Token::Dot | Token::Tilde | Token::Pipe | Token::Eq | Token::Ne => bump(&mut open),
            Token::Gt | Token::Gte | Token::Lt | Token::Lte => bump(&mut open),
            Token::BlockEnd => {}
            _ => continue,
        }
        if matches!(token, Token::BlockStart) {
            let rest = text.value[span.end_offset as usize..].trim_start_matches(['-', '+', ' ', '\n', '\t']);
            if rest.starts_with("end") {
                blocks.pop();
            } else if rest.starts_with("if") || rest.starts_with("for") || rest.starts_with("with") {
                blocks.push(1);
            } else if rest.starts_with("elif") {
                bump(&mut blocks);
            }
        }
        if blocks.iter().sum::<usize>() + open.len() + open.iter().sum::<usize>() > MAX_DEPTH {
            let place = files.inside(text, span.start_offset as usize, span.end_offset as usize);
            let message = format!("the expression is nested or chained more than {MAX_DEPTH} deep");
            return Err(vec![
                Diagnostic::error(SYNTAX, place, message).help("split it into several fields with `set`"),
            ]);
        }
    }
    Ok(())
}

fn bump(open: &mut [usize]) {
    if let Some(count) = open.last_mut() {
        *count += 1;
    }
}

fn syntax_error(text: &Text, files: &Files, error: &minijinja::Error, bare: bool) -> Diagnostic {
    let Range { start, end } = error.range().unwrap_or(0..text.value.len());
    let (start, end) = (start.min(text.value.len()), end.clamp(start, text.value.len().max(start)));
    if let Some(statement) = error.detail().and_then(|detail| detail.strip_prefix("unknown statement ")) {
        let help = match statement {
            "break" | "continue" => "leave items out with `{% for x in list if … %}`",
            _ => "`if`, `for`, `set` and `macro` are",
        };
        let message = format!("`{{% {statement} %}}` is not offered in mappings");
        return Diagnostic::error(SYNTAX, files.inside(text, start, end), message).help(help);
    }
    let message = error.detail().map_or_else(|| error.to_string(), str::to_owned);
    let (place, help) = match slips::find(&text.value, start, bare) {
        Some((place, help)) => (place, Some(help)),
        None => (start..end, None),
    };
    Diagnostic::error(SYNTAX, files.inside(text, place.start, place.end), message).maybe_help(help)
}
