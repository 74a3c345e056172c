//! `range`.

use towpath_spec::Type;

use super::bound::{ARGUMENTS, need_int};
use super::{Function, FunctionKind, Problem, Rest, example, needed, optional};
use crate::value::Value;

/// The most items: more are a slip, and one per row would fill the memory.
const MOST: i128 = 100_000;

/// How many numbers there are, or why there are none.
fn count(start: i64, stop: i64, step: i64) -> Result<i128, String> {
    if step == 0 {
        return Err("the step of a range is not 0".into());
    }
    let (distance, by) = (i128::from(stop) - i128::from(start), i128::from(step));
    let count = ((distance + by - by.signum()) / by).max(0);
    if count > MOST { Err(format!("a range of {count} numbers, at most {MOST} are given")) } else { Ok(count) }
}

/// Start, stop and step of the values given.
fn bounds(args: &[Value]) -> Result<(i64, i64, i64), String> {
    let step = if args[2].is_null() { 1 } else { need_int(&args[2])? };
    let (start, stop) =
        if args[1].is_null() { (0, need_int(&args[0])?) } else { (need_int(&args[0])?, need_int(&args[1])?) };
    Ok((start, stop, step))
}

pub(super) static FUNCTION: Function = Function {
    name: "range",
    kinds: &[FunctionKind::Function],
    signature: "range(stop) or range(start, stop, step=1) -> list<int>",
    doc: "Whole numbers from `start` (0 when not given) up to `stop`, which is not among them. More than 100,000 numbers, and a step of 0, reject the row. Null in, null out.",
    examples: &[
        example("{{ range(3) | join(',') }}", "0,1,2"),
        example("{{ range(5, 0, -2) | join(',') }}", "5,3,1"),
        example("{% for n in range(1, 4) %}<{{ n }}>{% endfor %}", "<1><2><3>"),
    ],
    parameters: &[needed("start"), optional("stop"), optional("step")],
    rest: Rest::None,
    bind: |binder| {
        for slot in 0..3 {
            binder.int(slot)?;
        }
        let constants: Option<Vec<Value>> =
            binder.arguments.iter().map(|a| a.as_ref().map_or(Some(Value::Null), |a| a.constant.cloned())).collect();
        let given: Vec<usize> = binder.rest(0).map(|(slot, _)| slot).collect();
        let is_sound = constants
            .filter(|values| given.iter().all(|slot| !values[*slot].is_null()))
            .map(|values| bounds(&values).and_then(|(start, stop, step)| count(start, stop, step)));
        if let Some(Err(message)) = is_sound {
            return Err(Problem { argument: None, ..Problem::new(ARGUMENTS, 0, message) });
        }
        let nullable = binder.rest(0).any(|(_, argument)| argument.nullable);
        let ty = Type::List(Box::new(Type::Int));
        let bound = binder.rows(ty, is_sound.is_none(), "it makes lists", move |args, _| {
            if given.iter().any(|slot| args[*slot].is_null()) {
                return Ok(Value::Null);
            }
            let (start, stop, step) = bounds(args)?;
            let numbers = (0..i64::try_from(count(start, stop, step)?).unwrap_or(0))
                .map(|n| Value::Int(start.wrapping_add(n.wrapping_mul(step))));
            Ok(Value::List(numbers.collect()))
        });
        Ok(bound.seeing_nulls().nullable(nullable))
    },
};
