//! Well-typed templates of bounded depth over those columns.

/// Choices read off a tape of numbers: a shorter tape and smaller numbers make a simpler case, which is how failures shrink.
pub(crate) struct Choices {
    pub(crate) tape: Vec<u16>,
    pub(crate) at: usize,
}

impl Choices {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let next = self.tape.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(next) % n
    }

    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at >= self.tape.len()
    }
}

/// Ways to make an expression of a kind (text, int, float, bool, day, instant, decimal, length of time, list of text, json):
/// in a template, `A` and `B` stand for expressions of the kinds named first.
pub(crate) fn ways(kind: char) -> &'static [(&'static str, &'static str)] {
    match kind {
        't' => &[
            ("t", "(A | trim)"),
            ("t", "(A | trim('a '))"),
            ("t", "(A | lower)"),
            ("t", "(A | upper)"),
            ("t", "(A | title)"),
            ("t", "(A | capitalize)"),
            ("t", "(A | replace('a', 'bb'))"),
            ("tt", "(A | replace(B, '.'))"),
            ("t", "(A | substring(1, 2))"),
            ("t", "(A | substring(-2))"),
            ("ti", "(A | left(B))"),
            ("t", "(A | left(2))"),
            ("t", "(A | right(2))"),
            ("t", "(A | pad_left(5, '0'))"),
            ("t", "(A | pad_right(4))"),
            ("t", "(A | split_part(',', 2))"),
            ("t", "(A | split_part('a', -1))"),
            ("t", "(A | regex_replace('[a-c]+', '<$0>'))"),
            ("t", "(A | regex_extract('([a-zA-Z])[^a]'))"),
            ("t", "(A | slug)"),
            ("t", "(A | mask(1))"),
            ("t", "(A | urlencode)"),
            ("t", "(A | base64_encode)"),
            ("t", "(A | base64_decode)"),
            ("t", "(A | hash('xxh64'))"),
            ("t", "(A | hash('md5'))"),
            ("t", "(A | short_key(9))"),
            ("i", "(A | hash)"),
            ("t", "(A | null_if('', 'P'))"),
            ("t", "(A | default('-', true))"),
            ("t", "A[0]"),
            ("t", "A[1:3]"),
            ("t", "(A | map_values({'P': 'Passed', 'F': 'Failed'}))"),
            ("t", "(A | map_values({'P': 'Passed'}, default='?'))"),
            ("t", "(A | reverse)"),
            ("i", "(A | string)"),
            ("f", "(A | string)"),
            ("b", "(A | string)"),
            ("d", "(A | string)"),
            ("z", "(A | string)"),
            ("m", "(A | string)"),
            ("s", "(A | string)"),
            ("l", "(A | string)"),
            ("j", "(A | string)"),
            ("tt", "(A ~ B)"),
            ("fd", "(A ~ '/' ~ B)"),
            ("zb", "(A ~ B)"),
            ("tt", "(A + B)"),
            ("d", "(A | format_datetime('%d.%m.%y %A'))"),
            ("z", "(A | format_datetime('%Y-%m-%dT%H:%M:%S%.3fZ'))"),
            ("l", "(A | join('+'))"),
            ("l", "(A | first)"),
            ("l", "(A | last)"),
            ("l", "(A | min)"),
            ("l", "A[1]"),
            ("l", "(A | tojson)"),
            ("j", "(A | tojson)"),
            ("j", "(A | trim)"),
            ("j", "(A | upper)"),
        ],
        'i' => &[
            ("ii", "(A + B)"),
            ("ii", "(A - B)"),
            ("ii", "(A * B)"),
            ("ii", "(A // B)"),
            ("ii", "(A % B)"),
            ("i", "(A ** 2)"),
            ("i", "(-A)"),
            ("t", "(A | int)"),
            ("t", "(A | int(0))"),
            ("f", "(A | int)"),
            ("m", "(A | int)"),
            ("b", "(A | int)"),
            ("t", "(A | length)"),
            ("l", "(A | length)"),
            ("i", "(A | abs)"),
            ("i", "(A | round)"),
            ("dd", "days_between(A, B)"),
            ("z", "(A | date_part('hour'))"),
            ("d", "(A | date_part('week'))"),
            ("ii", "max(A, B)"),
            ("j", "(A | int)"),
            ("i", "(A | null_if(1))"),
            ("t", "(A | map_values({'P': 1, 'F': 2}))"),
            ("j", "(A | length)"),
        ],
        'f' => &[
            ("ff", "(A + B)"),
            ("fi", "(A * B)"),
            ("ii", "(A / B)"),
            ("ff", "(A / B)"),
            ("ff", "(A // B)"),
            ("ff", "(A % B)"),
            ("if", "(A - B)"),
            ("f", "(A / 4)"),
            ("f", "(-A)"),
            ("t", "(A | float)"),
            ("i", "(A | float)"),
            ("m", "(A | float)"),
            ("f", "(A | round(1))"),
            ("f", "(A | round)"),
            ("f", "(A | round(2, 'floor'))"),
            ("f", "(A | abs)"),
            ("if", "min(A, B)"),
            ("mf", "(A + B)"),
            ("j", "(A | float)"),
        ],
        'b' => &[
            ("tt", "(A == B)"),
            ("tt", "(A < B)"),
            ("if", "(A <= B)"),
            ("ii", "(A != B)"),
            ("ff", "(A > B)"),
            ("ff", "(A == B)"),
            ("dd", "(A >= B)"),
            ("zz", "(A == B)"),
            ("zz", "(A < B)"),
            ("mi", "(A < B)"),
            ("mm", "(A == B)"),
            ("ss", "(A < B)"),
            ("bb", "(A == B)"),
            ("bb", "(A < B)"),
            ("bb", "(A and B)"),
            ("bb", "(A or B)"),
            ("ti", "(A or B)"),
            ("b", "(not A)"),
            ("l", "(not A)"),
            ("f", "(not A)"),
            ("t", "(A is none)"),
            ("i", "(A is not none)"),
            ("j", "(A is none)"),
            ("t", "(A is empty)"),
            ("t", "(A is matching('^[a-c]'))"),
            ("t", "(A in ['P', 'F', ''])"),
            ("t", "(A not in ['P', none])"),
            ("i", "(A in [1, 2, 0])"),
            ("t", "('a' in A)"),
            ("tt", "(A in B)"),
            ("tl", "(A in B)"),
            ("t", "(A | bool)"),
            ("t", "(A | bool(false))"),
            ("i", "(A | bool)"),
            ("ji", "(A == B)"),
            ("jt", "(A == B)"),
            ("ji", "(A < B)"),
            ("ll", "(A == B)"),
            ("i", "(1 < A < 5)"),
            ("j", "(not A)"),
            ("tj", "(A in B)"),
            ("t", "(A == none)"),
            ("j", "(A != none)"),
        ],
        'd' => &[
            ("t", "(A | to_date)"),
            ("t", "(A | to_date('%d/%m/%Y', '%Y-%m-%d', '%d.%m.%Y'))"),
            ("z", "(A | to_date)"),
            ("d", "(A | add('P1D'))"),
            ("d", "(A | subtract(duration('P30D')))"),
            ("ds", "(A + B)"),
        ],
        'z' => &[
            ("t", "(A | to_datetime)"),
            ("t", "(A | to_datetime(tz='Europe/London'))"),
            ("d", "(A | to_datetime)"),
            ("t", "(A | to_datetime('%d/%m/%Y', '%Y-%m-%dT%H:%M:%S', tz='America/New_York'))"),
            ("z", "(A | in_timezone('Asia/Tokyo'))"),
            ("zs", "(A + B)"),
            ("z", "(A | subtract('PT90M'))"),
            ("d", "(A | to_datetime(tz='Europe/London'))"),
        ],
        'm' => &[
            ("mm", "(A + B)"),
            ("mi", "(A - B)"),
            ("mm", "(A * B)"),
            ("mm", "(A / B)"),
            ("mm", "(A % B)"),
            ("t", "(A | decimal(12, 2))"),
            ("f", "(A | decimal(20, 4))"),
            ("i", "(A | decimal(25, 2))"),
            ("m", "(A | round(1))"),
            ("m", "(-A)"),
            ("m", "(A | abs)"),
            ("m", "(A | decimal(10, 1))"),
            ("mm", "(A // B)"),
        ],
        's' => &[("dd", "(A - B)"), ("zz", "(A - B)"), ("ss", "(A + B)"), ("si", "(A * B)"), ("s", "(-A)")],
        'l' => &[
            ("t", "(A | split(','))"),
            ("t", "(A | split)"),
            ("l", "(A | sort)"),
            ("l", "(A | unique)"),
            ("l", "(A | reverse)"),
            ("tt", "[A, B, 'x']"),
            ("l", "A[1:]"),
        ],
        _ => &[
            ("t", "(A | parse_json)"),
            ("j", "A.a"),
            ("j", "A['b'].c"),
            ("j", "A[0]"),
            ("ji", "(A + B)"),
            ("j", "(A | get('b.c.1'))"),
            ("it", "json_object(n=A, t=B)"),
            ("jj", "(A * B)"),
            ("l", "(A | get('0'))"),
        ],
    }
}

pub(crate) fn leaves(kind: char) -> &'static [&'static str] {
    match kind {
        't' => &[
            "t1",
            "t2",
            "numeric",
            "dated",
            "code",
            "row[\"odd name.'q\\\"ü\"]",
            "'P'",
            "' a,b '",
            "''",
            "params.text",
        ],
        'i' => &["i1", "i2", "0", "7", "-3", "9223372036854775807", "params.int"],
        'f' => &["x1", "x2", "0.0", "2.5", "-1e300"],
        'b' => &["b1", "true", "false", "params.flag"],
        'd' => &["day", "today()"],
        'z' => &["at", "local", "now()", "run.started_at"],
        'm' => &["money", "('1.5' | decimal(3, 1))"],
        's' => &["span", "duration('PT1H')"],
        'l' => &["tags", "['a', none, 'P']"],
        _ => &["j", "j.a", "j[0]"],
    }
}

pub(crate) fn expression(choices: &mut Choices, kind: char, depth: u32) -> String {
    let ways = ways(kind);
    let general = if kind == 'b' { 3 } else { 5 };
    let choice = if depth == 0 || choices.is_over() { 0 } else { choices.below(ways.len() + general + 2) };
    let mut of = |kind| expression(choices, kind, depth.saturating_sub(1));
    match choice.checked_sub(2).map(|choice| choice.checked_sub(general).ok_or(choice)) {
        None => choices.pick(leaves(kind)).to_owned(),
        Some(Ok(way)) => {
            let (kinds, template) = ways[way];
            let parts: Vec<String> = kinds.chars().map(of).collect();
            let second = parts.get(1).map_or("", String::as_str);
            template.replace('B', "\u{1}").replace('A', &parts[0]).replace('\u{1}', second)
        }
        Some(Err(0)) => format!("({} if {} else {})", of(kind), of('b'), of(kind)),
        Some(Err(1)) => format!("({} | default({}))", of(kind), of(kind)),
        Some(Err(2)) => format!("coalesce({}, {})", of(kind), of(kind)),
        Some(Err(3)) => format!("({} or {})", of(kind), of(kind)),
        Some(Err(_)) => format!("({} and {})", of(kind), of(kind)),
    }
}

pub(crate) const KINDS: [char; 10] = ['t', 'i', 'f', 'b', 'd', 'z', 'm', 's', 'l', 'j'];

pub(crate) fn written(tape: Vec<u16>) -> Written {
    let mut choices = Choices { tape, at: 0 };
    let shape = choices.below(16);
    let kind = choices.pick(&KINDS);
    let c = &mut choices;
    match shape {
        0..=8 => Written::Expression(expression(c, kind, 2)),
        9..=11 => Written::Expression(expression(c, kind, 4)),
        12 | 13 => {
            let second = c.pick(&KINDS);
            Written::Template(format!("<{{{{ {} }}}} {{{{ {} }}}}", expression(c, kind, 2), expression(c, second, 2)))
        }
        14 => Written::Template(format!(
            "{{% set v = {} %}}{{% if {} %}}{{{{ v }}}}!{{% elif v %}}{{{{ {} }}}}{{% else %}}-{{% endif %}}",
            expression(c, 't', 2),
            expression(c, 'b', 2),
            expression(c, 'i', 2)
        )),
        _ => Written::Template(format!(
            "{{% for x in {} if x %}}{{{{ loop.index }}}}{{{{ x | upper }}}}{{{{ {} }}}}{{% else %}}none{{% endfor %}}",
            expression(c, 'l', 2),
            expression(c, 't', 2)
        )),
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Written {
    Expression(String),
    Template(String),
}
