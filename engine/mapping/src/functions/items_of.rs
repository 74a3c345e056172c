//! `items`.

use towpath_spec::Type;

use super::{Function, FunctionKind, Rest, example, needed, pairs};

pub(super) static FUNCTION: Function = Function {
    name: "items",
    kinds: &[FunctionKind::Filter],
    signature: "struct or json | items -> list<struct{key: text, value: …}>",
    doc: "The fields of a struct or JSON object in order, each as a struct of `key` and `value`. The fields of a struct have to be of one type.",
    examples: &[
        example("{% for k, v in {'a': 1, 'b': 2} | items %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"),
        example("{{ '{\"x\": 1, \"y\": null}' | parse_json | items | map(attribute='key') | join(',') }}", "x,y"),
    ],
    parameters: &[needed("value")],
    rest: Rest::None,
    bind: |binder| {
        let pair = pairs::pair_type(binder)?;
        let ty = Type::List(Box::new(pair.clone()));
        Ok(binder.rows(ty, false, "it makes lists", move |args, _| pairs::list(pairs::pairs(&args[0])?, &pair)))
    },
};
