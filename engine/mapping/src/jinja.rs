//! What becomes of each built-in of Jinja 3.1: a filter, test or global is the same here, differs, or is not offered.
//!
//! The page of the manual is made of it, and a test holds it to the functions there are. Names are those of Jinja's own
//! manual; other names Jinja has for the same thing stand beside it.

use self::Fate::{Differs, NotOffered, Same};
use crate::functions::FunctionKind;

/// What became of a built-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The same meaning, but for what holds of all functions here: null in, null out; what cannot be done rejects the row.
    Same,
    /// Offered, with another meaning: how, and why.
    Differs(&'static str),
    /// Not offered: why, and what to write instead.
    NotOffered(&'static str),
}

/// A built-in of Jinja.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    /// What it is used as.
    pub kind: FunctionKind,
    /// Its name.
    pub name: &'static str,
    /// What became of it.
    pub fate: Fate,
}

/// An element of Jinja's syntax.
#[derive(Debug, Clone, Copy)]
pub struct Syntax {
    /// As it is written.
    pub written: &'static str,
    /// A template that has it.
    pub sample: &'static str,
    /// What became of it.
    pub fate: Fate,
}

const HTML: &str =
    "Rows are data, not HTML: nothing is escaped and nothing is marked as safe. `striptags` takes tags out.";
const CASE: &str = "Text is compared by code points; say `case_sensitive=false` for Jinja's default. Two keys that differ in case are two keys in most systems.";

const FILTERS: [(&str, Fate); 54] = [
    ("abs", Same),
    ("attr", NotOffered("Values have fields, not attributes: `x.name`, or `x | get('a.b')`.")),
    ("batch", Same),
    (
        "capitalize",
        Differs(
            "A sigma at the end of a word becomes the final one; `ß` at the start becomes `SS`, where Python has `Ss`.",
        ),
    ),
    ("center", Same),
    ("count", Same),
    ("d", Differs("As `default`.")),
    (
        "default",
        Differs(
            "Also stands for null (Jinja: for what is undefined only), and for a value that could not be converted. `true` as second argument means the same.",
        ),
    ),
    (
        "dictsort",
        Differs("Gives structs of `key` and `value` where Jinja gives pairs, as lists hold values of one type."),
    ),
    ("e", NotOffered(HTML)),
    ("escape", NotOffered(HTML)),
    ("filesizeformat", Differs("Takes numbers, not text.")),
    ("first", Differs("Of an empty list it is null; Jinja: undefined.")),
    ("float", Differs("What is no number rejects its row, unless a default is given; Jinja gives 0.0 silently.")),
    ("forceescape", NotOffered(HTML)),
    (
        "format",
        Differs(
            "The pattern is a constant, values are given in order, and the letters are `s`, `d`, `i`, `f`, `x`, `X`, `o`: so the types of the values are checked before a run.",
        ),
    ),
    ("groupby", NotOffered("Rows are grouped by the step `aggregate`; a list is filtered by `selectattr`.")),
    ("indent", Same),
    (
        "int",
        Differs(
            "What is no number, and what does not fit 64 bits, rejects its row, unless a default is given; Jinja gives 0 silently. There is no `base`.",
        ),
    ),
    ("items", Differs("Gives structs of `key` and `value` where Jinja gives pairs, as lists hold values of one type.")),
    ("join", Differs("Nulls are left out; Jinja prints `None`.")),
    ("last", Differs("Of an empty list it is null; Jinja: undefined.")),
    ("length", Same),
    ("list", Differs("Takes lists, JSON arrays and text; for the fields of a struct there is `items`.")),
    ("lower", Differs("Takes text only; `| string` first for other values.")),
    (
        "map",
        Differs(
            "The name of the filter and of the attribute are constants, and further arguments are given by place. For `default=`, apply `default` in a loop.",
        ),
    ),
    ("max", Differs(CASE)),
    ("min", Differs(CASE)),
    ("pprint", NotOffered("For debugging: `towpath preview` shows rows, `tojson` makes text of any value.")),
    ("random", NotOffered("A run that is repeated has to give the same. `hash` and `short_key` spread values evenly.")),
    ("reject", Same),
    ("rejectattr", Same),
    ("replace", Same),
    ("reverse", Same),
    (
        "round",
        Differs(
            "An int stays an int and a decimal is rounded exactly; the digits are 0 to 15. `common` rounds half to even, as Python does.",
        ),
    ),
    ("safe", NotOffered(HTML)),
    ("select", Same),
    ("selectattr", Same),
    ("slice", Same),
    (
        "sort",
        Differs("Null comes last. Text is compared by code points; say `case_sensitive=false` for Jinja's default."),
    ),
    ("string", Differs("Null stays null, bools are `true` and `false`, lists and structs are JSON.")),
    (
        "striptags",
        Differs("Of named entities it knows `&amp;`, `&lt;`, `&gt;`, `&quot;`, `&apos;` and `&nbsp;`; others stay."),
    ),
    (
        "sum",
        Differs(
            "Nulls are left out, decimals are added exactly, a sum beyond 64 bits rejects its row. There is no `start`: add it.",
        ),
    ),
    ("title", Differs("A sigma at the end of a word becomes the final one.")),
    (
        "tojson",
        Differs("Nothing is escaped for HTML, there are no spaces and no `indent`; decimals and dates are text."),
    ),
    ("trim", Same),
    ("truncate", Same),
    ("unique", Differs(CASE)),
    ("upper", Differs("Takes text only; `| string` first for other values.")),
    ("urlencode", Differs("Takes text only, for a part of a URL; for a query, encode each value and join them.")),
    ("urlize", NotOffered(HTML)),
    (
        "wordcount",
        Differs("Marks that are part of a letter, such as the vowel signs of Devanagari, do not end a word."),
    ),
    ("wordwrap", Differs("Words with hyphens stay whole: there is no `break_on_hyphens`.")),
    ("xmlattr", NotOffered(HTML)),
];

const TESTS: [(&str, Fate); 39] = [
    ("boolean", Same),
    ("callable", NotOffered("Values are data; none can be called.")),
    (
        "defined",
        Differs("Whether the value is not null: names are known before a run, and unknown ones are errors then."),
    ),
    ("divisibleby", Same),
    ("eq", Same),
    ("equalto", Same),
    ("==", Same),
    ("escaped", NotOffered(HTML)),
    ("even", Same),
    ("false", Same),
    ("filter", NotOffered("Which filters there are is known before a run; unknown ones are errors then.")),
    ("float", Same),
    ("ge", Same),
    (">=", Same),
    ("gt", Same),
    (">", Same),
    ("greaterthan", Same),
    ("in", Same),
    ("integer", Same),
    ("iterable", Same),
    ("le", Same),
    ("<=", Same),
    ("lower", Differs("Takes text only.")),
    ("lt", Same),
    ("<", Same),
    ("lessthan", Same),
    ("mapping", Same),
    ("ne", Same),
    ("!=", Same),
    ("none", Same),
    ("number", Same),
    ("odd", Same),
    (
        "sameas",
        NotOffered(
            "Values have no identity: compare with `==`; `is true`, `is false` and `is none` ask for one value.",
        ),
    ),
    ("sequence", Same),
    ("string", Same),
    ("test", NotOffered("Which tests there are is known before a run; unknown ones are errors then.")),
    ("true", Same),
    ("undefined", Differs("Whether the value is null, as `is none`.")),
    ("upper", Differs("Takes text only.")),
];

const GLOBALS: [(&str, Fate); 6] = [
    ("cycler", NotOffered("A row is computed by itself: `['odd', 'even'][loop.index0 % 2]`.")),
    ("dict", NotOffered("Write `{'a': 1}`, or `json_object(a=1)` for JSON.")),
    ("joiner", NotOffered("Write `list | join(', ')`, or ask `loop.first`.")),
    ("lipsum", NotOffered("It makes text at random; `towpath sandbox` has made-up data.")),
    ("namespace", NotOffered("Nothing is assigned across the rounds of a loop: use `sum`, `select`, `map`, `max`.")),
    ("range", Differs("At most 100,000 numbers: more reject the row.")),
];

/// As written, a template that has it, and what became of it.
const SYNTAX: [(&str, &str, Fate); 29] = [
    (
        "{{ expression }}",
        "{{ 1 + 1 }}",
        Differs("A template that is nothing else keeps type and null of the expression."),
    ),
    ("{% if %}, {% elif %}, {% else %}", "{% if true %}a{% elif false %}b{% else %}c{% endif %}", Same),
    ("{% for x in list %}, {% else %}", "{% for x in ['a'] %}{{ x }}{% else %}-{% endfor %}", Same),
    ("{% for x in list if … %}", "{% for x in ['a'] if x %}{{ x }}{% endfor %}", Same),
    (
        "{% for k, v in … %}",
        "{% for k, v in {'a': 1} | items %}{{ k }}{% endfor %}",
        Differs(
            "Over lists of pairs, over `x | items`, and over a struct or JSON object itself: its names and values (Jinja: `x.items()`).",
        ),
    ),
    (
        "{% for … recursive %}",
        "{% for x in [1] recursive %}{{ loop([]) }}{% endfor %}",
        NotOffered("The depth of a row's work is known beforehand."),
    ),
    (
        "{% break %}, {% continue %}",
        "{% for x in [1] %}{% break %}{% endfor %}",
        NotOffered("Say `{% for x in list if … %}`, or take a part: `list[:3]`."),
    ),
    (
        "loop",
        "{% for x in [1] %}{{ loop.index }}{% endfor %}",
        Differs("Has `index`, `index0`, `revindex`, `first`, `last` and `length`."),
    ),
    (
        "{% set x = … %}",
        "{% set x = 1 %}{{ x }}",
        Differs("Names an expression; a template of nothing but that and one expression keeps its type."),
    ),
    (
        "{% set x %} … {% endset %}",
        "{% set x %}a{% endset %}{{ x }}",
        NotOffered("Name an expression: `{% set x = a ~ b %}`."),
    ),
    (
        "{% macro %}",
        "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}",
        Differs(
            "Stands at the top of a template, or in a file of `macros/*.jinja` of the project. Reads its parameters, `params` and `run`, no columns, and does not call itself; a macro of one expression keeps its type.",
        ),
    ),
    (
        "{% call %}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
        NotOffered("Give what is to be put in as an argument of the macro."),
    ),
    (
        "{% import %}, {% from … import %}",
        "{% from 'm.jinja' import m %}{{ m(1) }}",
        NotOffered("Macros of `macros/*.jinja` are known by their names in all templates of the project."),
    ),
    ("{% include %}", "{% include 'a.jinja' %}", NotOffered("A template reads no other files.")),
    (
        "{% extends %}, {% block %}",
        "{% block a %}x{% endblock %}",
        NotOffered("Templates do not inherit: each gives one value."),
    ),
    (
        "{% filter %} … {% endfilter %}",
        "{% filter upper %}a{% endfilter %}",
        NotOffered("Apply the filter to an expression: `(a ~ b) | upper`."),
    ),
    ("{% raw %} … {% endraw %}", "{% raw %}{{ a }}{% endraw %}", Same),
    ("{# … #}", "{# note #}a", Same),
    ("{%- … -%}, {{- … -}}", "a {{- 'b' -}} c", Same),
    ("{% do %}", "{% do f() %}", NotOffered("Nothing can be changed in place, so there is nothing to do.")),
    ("{% with %}", "{% with a = 1 %}{{ a }}{% endwith %}", NotOffered("Say `{% set a = … %}`.")),
    ("{% autoescape %}", "{% autoescape true %}a{% endautoescape %}", NotOffered(HTML)),
    (
        "{% trans %}",
        "{% trans %}a{% endtrans %}",
        NotOffered("Texts are not translated; `map_values` looks them up in a table."),
    ),
    ("a if b else c", "{{ 'a' if true else 'b' }}", Same),
    ("a ~ b", "{{ 1 ~ 2 }}", Same),
    ("x[1:3]", "{{ 'abc'[1:3] }}", Same),
    ("x[::2]", "{{ 'abc'[::2] }}", NotOffered("A slice takes no step.")),
    ("x.method()", "{{ 'abc'.upper() }}", NotOffered("Values have no methods: `x | upper`.")),
    (
        "f(*list), f(**names)",
        "{{ max(*[1, 2]) }}",
        NotOffered("Arguments are known before a run; `list | max` takes a list."),
    ),
];

/// Every built-in filter, test and global of Jinja 3.1.
pub fn built_ins() -> impl Iterator<Item = BuiltIn> {
    let of = |kind: FunctionKind| move |&(name, fate): &(&'static str, Fate)| BuiltIn { kind, name, fate };
    let filters = FILTERS.iter().map(of(FunctionKind::Filter));
    filters.chain(TESTS.iter().map(of(FunctionKind::Test))).chain(GLOBALS.iter().map(of(FunctionKind::Function)))
}

/// The elements of Jinja's syntax.
pub fn syntax() -> impl Iterator<Item = Syntax> {
    SYNTAX.iter().map(|&(written, sample, fate)| Syntax { written, sample, fate })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Scope, compile_template, functions};
    use towpath_spec::{Files, Schema, Text};

    #[test]
    fn built_ins_are_there_as_the_table_says() {
        let wrong: Vec<String> = built_ins()
            .filter(|of| functions::find(of.name, of.kind).is_some() == matches!(of.fate, NotOffered(_)))
            .map(|of| format!("{} {}", of.kind, of.name))
            .collect();
        assert!(wrong.is_empty(), "the table is not true of: {}", wrong.join(", "));
    }

    #[test]
    fn syntax_is_there_as_the_table_says() {
        let (files, schema) = (Files::new(), Schema::default());
        let scope = Scope { files: &files, columns: Some(&schema), params: &[], extra: &[], macros: None };
        let compiles = |sample: &str| {
            let text = Text { value: sample.into(), ..Text::default() };
            compile_template(&text, &scope).is_ok()
        };
        let wrong: Vec<&str> = syntax()
            .filter(|of| compiles(of.sample) == matches!(of.fate, NotOffered(_)))
            .map(|of| of.written)
            .collect();
        assert!(wrong.is_empty(), "the table is not true of: {}", wrong.join(", "));
    }

    #[test]
    fn each_name_stands_once() {
        let mut seen = std::collections::HashSet::new();
        assert!(built_ins().all(|of| seen.insert((of.kind, of.name))));
    }
}
