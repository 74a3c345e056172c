//! Which functions there are.

use super::{Function, FunctionKind};

/// Each module's function.
macro_rules! functions {
    ($($module:ident),+ $(,)?) => {
        /// All of them, by the names of their modules.
        static ALL: &[&Function] = &[$(&super::$module::FUNCTION),+];
    };
}

functions! {
    abs, add, base64_decode, base64_encode, batch, bool, capitalize, center, coalesce, date_part, days_between, decimal, default, dictsort, duration, empty, filesizeformat, first, float, format, format_datetime, get, hash, in_timezone, indent, int, is_boolean, is_defined, is_divisibleby, is_eq, is_even, is_false, is_float, is_ge, is_gt, is_in, is_integer, is_iterable, is_le, is_lower, is_lt, is_mapping, is_matching, is_ne, is_none, is_number, is_odd, is_sequence, is_string, is_true, is_undefined, is_upper, items_of, join, json_object, last, left, length, list, lower, map, map_values, mask, max, min, now, null_if, pad_left, pad_right, parse_json, range, regex_extract, regex_replace, reject, rejectattr, replace, reverse, right, round, select, selectattr, short_key, slice, slug, sort, split, split_part, string, striptags, substring, subtract, sum, title, to_date, to_datetime, today, tojson, trim, truncate, unique, upper, urlencode, uuid5, wordcount, wordwrap,
}

/// All functions, by name.
pub(crate) fn all() -> impl Iterator<Item = &'static Function> {
    ALL.iter().copied()
}

/// A function by name and use.
pub(crate) fn find(name: &str, kind: FunctionKind) -> Option<&'static Function> {
    let name = match (name, kind) {
        // Jinja's own short names.
        ("d", FunctionKind::Filter) => "default",
        ("e" | "escape", _) => return None,
        ("count", FunctionKind::Filter) => "length",
        ("equalto" | "==", FunctionKind::Test) => "eq",
        ("!=", FunctionKind::Test) => "ne",
        ("lessthan" | "<", FunctionKind::Test) => "lt",
        ("<=", FunctionKind::Test) => "le",
        ("greaterthan" | ">", FunctionKind::Test) => "gt",
        (">=", FunctionKind::Test) => "ge",
        (name, _) => name,
    };
    all().find(|function| function.name == name && function.kinds.contains(&kind))
}

/// All names of a use.
pub(crate) fn names(kind: FunctionKind) -> impl Iterator<Item = &'static str> + Clone {
    ALL.iter().filter(move |function| function.kinds.contains(&kind)).map(|function| function.name)
}
