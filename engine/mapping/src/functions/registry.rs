//! Which functions there are.

use super::{Function, FunctionKind};
use super::{
    abs, add, base64_decode, base64_encode, bool, capitalize, coalesce, date_part, days_between, decimal, default,
    duration, empty, first, float, format_datetime, get, hash, in_timezone, int, is_defined, is_matching, is_none,
    is_undefined, join, json_object, last, left, length, lower, map_values, mask, max, min, now, null_if, pad_left,
    pad_right, parse_json, regex_extract, regex_replace, replace, reverse, right, round, short_key, slug, sort, split,
    split_part, string, substring, subtract, sum, title, to_date, to_datetime, today, tojson, trim, unique, upper,
    urlencode,
};

/// All of them, by name.
static ALL: [&Function; 63] = [
    &abs::FUNCTION,
    &add::FUNCTION,
    &base64_decode::FUNCTION,
    &base64_encode::FUNCTION,
    &bool::FUNCTION,
    &capitalize::FUNCTION,
    &coalesce::FUNCTION,
    &date_part::FUNCTION,
    &days_between::FUNCTION,
    &decimal::FUNCTION,
    &default::FUNCTION,
    &duration::FUNCTION,
    &empty::FUNCTION,
    &first::FUNCTION,
    &float::FUNCTION,
    &format_datetime::FUNCTION,
    &get::FUNCTION,
    &hash::FUNCTION,
    &in_timezone::FUNCTION,
    &int::FUNCTION,
    &is_defined::FUNCTION,
    &is_matching::FUNCTION,
    &is_none::FUNCTION,
    &is_undefined::FUNCTION,
    &join::FUNCTION,
    &json_object::FUNCTION,
    &last::FUNCTION,
    &left::FUNCTION,
    &length::FUNCTION,
    &lower::FUNCTION,
    &map_values::FUNCTION,
    &mask::FUNCTION,
    &max::FUNCTION,
    &min::FUNCTION,
    &now::FUNCTION,
    &null_if::FUNCTION,
    &pad_left::FUNCTION,
    &pad_right::FUNCTION,
    &parse_json::FUNCTION,
    &regex_extract::FUNCTION,
    &regex_replace::FUNCTION,
    &replace::FUNCTION,
    &reverse::FUNCTION,
    &right::FUNCTION,
    &round::FUNCTION,
    &short_key::FUNCTION,
    &slug::FUNCTION,
    &sort::FUNCTION,
    &split::FUNCTION,
    &split_part::FUNCTION,
    &string::FUNCTION,
    &substring::FUNCTION,
    &subtract::FUNCTION,
    &sum::FUNCTION,
    &title::FUNCTION,
    &to_date::FUNCTION,
    &to_datetime::FUNCTION,
    &today::FUNCTION,
    &tojson::FUNCTION,
    &trim::FUNCTION,
    &unique::FUNCTION,
    &upper::FUNCTION,
    &urlencode::FUNCTION,
];

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
        (name, _) => name,
    };
    all().find(|function| function.name == name && function.kinds.contains(&kind))
}

/// All names of a use.
pub(crate) fn names(kind: FunctionKind) -> impl Iterator<Item = &'static str> + Clone {
    ALL.iter().filter(move |function| function.kinds.contains(&kind)).map(|function| function.name)
}
