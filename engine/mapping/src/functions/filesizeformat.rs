//! `filesizeformat`.

use std::sync::Arc;

use towpath_spec::Type;

use super::{Function, FunctionKind, Kernel, Rest, example, needed, optional};
use crate::ops;
use crate::value::Value;

const DECIMAL: [&str; 8] = ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 8] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

fn size(bytes: f64, binary: bool) -> Result<String, String> {
    let (base, units) = if binary { (1024.0, BINARY) } else { (1000.0, DECIMAL) };
    if bytes == 1.0 {
        return Ok("1 Byte".into());
    }
    if bytes.is_nan() || bytes == f64::NEG_INFINITY {
        return Err(format!("{} is no size", Value::Float(bytes)));
    }
    if bytes < base {
        // Cut off, as Python does; there is no negative zero among its whole numbers.
        return Ok(format!("{:.0} Bytes", bytes.trunc() + 0.0));
    }
    let mut unit = base * base;
    for name in &units[..7] {
        if bytes < unit {
            return Ok(format!("{:.1} {name}", base * bytes / unit));
        }
        unit *= base;
    }
    let most = base * bytes / unit;
    Ok(if most.is_infinite() { format!("inf {}", units[7]) } else { format!("{most:.1} {}", units[7]) })
}

pub(super) static FUNCTION: Function = Function {
    name: "filesizeformat",
    kinds: &[FunctionKind::Filter],
    signature: "number | filesizeformat(binary=false) -> text",
    doc: "A number of bytes for people: `13 kB`, `4.1 MB`; with `binary`, in steps of 1024: `KiB`, `MiB`. What is no number rejects its row.",
    examples: &[
        example("{{ 1300 | filesizeformat }}", "1.3 kB"),
        example("{{ 1 | filesizeformat }}", "1 Byte"),
        example("{{ 5242880 | filesizeformat(true) }}", "5.0 MiB"),
    ],
    parameters: &[needed("value"), optional("binary")],
    rest: Rest::None,
    bind: |binder| {
        binder.expect(0, "a number", Type::is_numeric)?;
        let binary = binder.constant(1)?.is_some_and(ops::truthy);
        let whole = *binder.ty(0) == Type::Int;
        let bound = binder.rows(Type::Text, !whole, "its input is no int", move |args, _| {
            let number = args[0].clone().peel();
            let bytes =
                ops::to_float(&number).ok_or_else(|| format!("expected a number, found {}", number.type_of()))?;
            size(bytes, binary).map(Value::from)
        });
        Ok(bound.with_if(whole, || Kernel::IntToText(Arc::new(move |bytes| size(bytes as f64, binary)))))
    },
};
