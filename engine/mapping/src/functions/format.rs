//! `format`.

use towpath_spec::Type;

use super::bound::{ARGUMENTS, MISMATCH};
use super::printf::{Piece, What, pieces};
use super::{Function, FunctionKind, Problem, Rest, example, needed};
use crate::value::Value;

pub(super) static FUNCTION: Function = Function {
    name: "format",
    kinds: &[FunctionKind::Filter],
    signature: "pattern | format(value, …) -> text",
    doc: "Puts values into the places of a constant pattern, as Python's `%` does: `%s` any value, `%d` an int, `%f` a number, `%x`, `%X`, `%o` an int in base 16 or 8, `%%` a percent sign; between sign and letter flags (`-`, `+`, `0`, space), a width and a precision. Decimals are printed exactly. Null in, null out.",
    examples: &[
        example("{{ '%s: %03d' | format('no', 7) }}", "no: 007"),
        example("{{ '%.2f|%8.1f|%-6s|' | format(2.5, 12345.67, 'ab') }}", "2.50| 12345.7|ab    |"),
        example("{{ '%x %X %o %d%%' | format(255, 255, 8, -5) }}", "ff FF 10 -5%"),
        example("{{ '%s' | format(none) }}", "null"),
    ],
    parameters: &[needed("value")],
    rest: Rest::Values,
    bind: |binder| {
        let Some(pattern) = binder.constant_text(0)? else {
            return Err(Problem::new(ARGUMENTS, 0, "`format` takes a constant pattern such as `'%s-%d'`"));
        };
        let pieces = pieces(pattern)
            .map_err(|(message, within)| Problem { within: Some(within), ..Problem::new(ARGUMENTS, 0, message) })?;
        let places: Vec<What> = pieces
            .iter()
            .filter_map(|piece| if let Piece::Value(place) = piece { Some(place.what) } else { None })
            .collect();
        let given = binder.rest(1).count();
        if places.len() != given {
            let message = format!("the pattern has places for {} values, found {given}", places.len());
            return Err(Problem { argument: None, ..Problem::new(ARGUMENTS, 0, message) });
        }
        for (what, (slot, argument)) in places.iter().zip(binder.rest(1)) {
            match what {
                What::Text => {}
                What::Fixed => binder.expect(slot, "a number", Type::is_numeric)?,
                What::Int | What::Base(..) => binder.int(slot)?,
            }
            if *argument.ty == Type::Binary && *what == What::Text {
                let wrong = Problem::new(MISMATCH, slot, "bytes are no text");
                return Err(wrong.help("encode them first: `| base64_encode`"));
            }
        }
        let nullable = binder.rest(1).any(|(_, argument)| argument.nullable);
        let bound = binder.rows(Type::Text, false, "it puts several values together", move |args, _| {
            if args[1..].iter().any(Value::is_null) {
                return Ok(Value::Null);
            }
            let (mut out, mut values) = (String::new(), args[1..].iter());
            for piece in &pieces {
                match (piece, piece_value(piece, &mut values)) {
                    (Piece::Literal(text), _) => out.push_str(text),
                    (Piece::Value(place), value) => place.print(value.unwrap_or(&Value::Null), &mut out)?,
                }
            }
            Ok(Value::from(out))
        });
        Ok(bound.seeing_nulls().nullable(nullable))
    },
};

/// The next value, for a place.
fn piece_value<'v>(piece: &Piece, values: &mut std::slice::Iter<'v, Value>) -> Option<&'v Value> {
    if matches!(piece, Piece::Value(_)) { values.next() } else { None }
}
