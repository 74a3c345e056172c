//! Every function, filter and test, one file each, and what they are made of.
//!
//! A function is bound once per call site: it sees the types of its arguments and the values of the constant ones, and
//! gives back what it returns and how to compute it. Whatever can be one closure serves both the row interpreter and
//! the column kernel, so that the two cannot differ.

mod abs;
mod add;
mod base64_decode;
mod base64_encode;
mod batch;
mod bool;
mod bound;
mod capitalize;
mod center;
mod coalesce;
mod compared;
mod date_part;
mod days_between;
mod decimal;
mod default;
mod dictsort;
mod divisible;
mod duration;
mod empty;
mod extreme;
mod filesizeformat;
mod first;
mod float;
mod format;
mod format_datetime;
mod get;
mod hash;
mod in_timezone;
mod indent;
mod int;
mod is_boolean;
mod is_defined;
mod is_divisibleby;
mod is_eq;
mod is_even;
mod is_false;
mod is_float;
mod is_ge;
mod is_gt;
mod is_in;
mod is_integer;
mod is_iterable;
mod is_le;
mod is_lower;
mod is_lt;
mod is_mapping;
mod is_matching;
mod is_ne;
mod is_none;
mod is_number;
mod is_odd;
mod is_sequence;
mod is_string;
mod is_true;
mod is_undefined;
mod is_upper;
mod items;
mod items_of;
mod join;
mod json_object;
mod keep;
mod last;
mod left;
mod length;
mod letters;
mod lines;
mod list;
mod lower;
mod map;
mod map_values;
mod mask;
mod max;
mod min;
mod now;
mod null_if;
mod pad;
mod pad_left;
mod pad_right;
mod pairs;
mod parse_json;
mod portions;
mod printf;
mod range;
mod regex_extract;
mod regex_replace;
mod registry;
mod reject;
mod rejectattr;
mod replace;
mod reverse;
mod right;
mod round;
mod select;
mod selectattr;
mod shape;
mod shift;
mod short_key;
mod slice;
mod slug;
mod sort;
mod split;
mod split_part;
mod string;
mod striptags;
mod substring;
mod subtract;
mod sum;
mod title;
mod to_date;
mod to_datetime;
mod today;
mod tojson;
mod trim;
mod truncate;
mod truth;
mod unique;
mod upper;
mod urlencode;
mod uuid5;
mod wordcount;
mod wordwrap;

pub(crate) use bound::{Argument, Binder, Bound, Bytes, Kernel, Nulls, Problem};
pub(crate) use compared::comparison;
pub(crate) use registry::{all, find, names};

/// What a name is used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FunctionKind {
    /// `value | name(…)`.
    Filter,
    /// `name(…)`.
    Function,
    /// `value is name(…)`.
    Test,
}

impl std::fmt::Display for FunctionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Filter => "filter",
            Self::Function => "function",
            Self::Test => "test",
        })
    }
}

/// A parameter of a function; a filter's or test's first is the value it is applied to.
#[derive(Debug)]
pub(crate) struct Parameter {
    pub name: &'static str,
    pub required: bool,
    /// Whether it can only be given as `name=value`.
    pub by_name: bool,
}

/// A worked example: a template, and what it gives: text as printed, `null`, or `reject` when the row is rejected.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The template, complete.
    pub template: &'static str,
    /// What comes out.
    pub gives: &'static str,
}

/// How arguments beyond the declared parameters are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// There are none.
    None,
    /// Any number of further values.
    Values,
    /// Any `name=value`.
    Named,
}

/// A function of the language.
pub(crate) struct Function {
    pub name: &'static str,
    /// What it can be used as.
    pub kinds: &'static [FunctionKind],
    /// As the manual shows it.
    pub signature: &'static str,
    /// The manual's text: Markdown, first sentence is the summary.
    pub doc: &'static str,
    pub examples: &'static [Example],
    pub parameters: &'static [Parameter],
    pub rest: Rest,
    pub bind: fn(&Binder) -> Result<Bound, Problem>,
}

/// A required parameter.
pub(crate) const fn needed(name: &'static str) -> Parameter {
    Parameter { name, required: true, by_name: false }
}

/// A parameter that may be left out.
pub(crate) const fn optional(name: &'static str) -> Parameter {
    Parameter { name, required: false, by_name: false }
}

/// A parameter that is only given as `name=value`, and may be left out.
pub(crate) const fn named(name: &'static str) -> Parameter {
    Parameter { name, required: false, by_name: true }
}

/// An example.
pub(crate) const fn example(template: &'static str, gives: &'static str) -> Example {
    Example { template, gives }
}

#[cfg(test)]
mod tests;
