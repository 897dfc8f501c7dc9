//! The mistakes that change the signed text, as changes that can be repeated.

use std::borrow::Cow;

use super::draft::{self, Draft, Keep, Order, Pair, Rewrite, pieces};
use super::mistake::Mistake;
use super::{entity, json_forms};
use crate::charset::Charset;
use crate::form::{INPUT_CHARSET, percent_decode};

/// The labels that programs write.
const LABELS: [&str; 6] = ["UTF-8", "utf-8", "GBK", "gbk", "GB2312", "gb2312"];

/// What a change works on; two of one axis are not combined, but drops.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    Empties,
    Set,
    Label,
    Value,
    Order,
    Finish,
    Drop,
}

type Apply<'a> = Box<dyn Fn(&Draft<'a>) -> Option<Draft<'a>> + 'a>;

/// One mistake, ready to be made.
pub(super) struct Change<'a> {
    pub(super) axis: Axis,
    /// Whether it is also tried together with another one.
    pub(super) combines: bool,
    apply: Apply<'a>,
}

impl<'a> Change<'a> {
    fn new(axis: Axis, apply: impl Fn(&Draft<'a>) -> Option<Draft<'a>> + 'a) -> Self {
        Self {
            axis,
            combines: true,
            apply: Box::new(apply),
        }
    }

    fn alone(mut self) -> Self {
        self.combines = false;
        self
    }

    /// The draft with this mistake too, if it makes a difference.
    pub(super) fn apply(&self, draft: &Draft<'a>) -> Option<Draft<'a>> {
        (self.apply)(draft)
    }
}

/// Every change that these parameters allow, the plausible ones first.
pub(super) fn changes<'a>(pairs: &'a [Pair<'static>]) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    empties(&mut changes);
    sets(pairs, &mut changes);
    labels(&mut changes);
    charsets(&mut changes);
    encodings(&mut changes);
    orders(&mut changes);
    finishes(&mut changes);
    decimals(pairs, &mut changes);
    drops(pairs, &mut changes);
    whole_blanks(&mut changes);
    json(pairs, &mut changes);
    single_blanks(pairs, &mut changes);
    changes
}

fn empties(changes: &mut Vec<Change<'_>>) {
    changes.push(Change::new(Axis::Empties, |draft| {
        let empty = |pair: &&Pair<'_>| pair.keep == Keep::In && pair.value.is_empty();
        let names: Vec<String> = draft.pairs.iter().filter(empty).map(Pair::label).collect();
        if names.is_empty() || draft.empties {
            return None;
        }
        let mut draft = draft.clone();
        draft.empties = true;
        Some(draft.because(
            Mistake::EmptiesKept,
            &format!("{} has no value", names.join(", ")),
        ))
    }));
}

fn sets<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    let sign_type = |draft: &Draft<'a>| {
        let kept = draft
            .with_keep(|_, pair| (pair.name == b"sign_type".as_slice()).then_some(Keep::In))?;
        Some(kept.because(
            Mistake::SignTypeSigned,
            "`sign_type=` stands in the signed text",
        ))
    };
    let sign = |draft: &Draft<'a>| {
        let mut kept =
            draft.with_keep(|_, pair| (pair.name == b"sign".as_slice()).then_some(Keep::Always))?;
        for pair in kept
            .pairs
            .iter_mut()
            .filter(|pair| pair.name == b"sign".as_slice())
        {
            pair.value = Cow::Borrowed(b"");
        }
        Some(kept.because(Mistake::SignSigned, "`sign=` stands in the signed text"))
    };
    changes.push(Change::new(Axis::Set, sign_type));
    changes.push(Change::new(Axis::Set, move |draft| {
        sign_type(&sign(draft)?)
    }));
    changes.push(Change::new(Axis::Set, sign));
    changes.push(Change::new(Axis::Set, |draft| {
        let kept = draft.with_keep(|_, pair| {
            let found = pair.name == INPUT_CHARSET.as_bytes() && pair.keep == Keep::In;
            found.then_some(Keep::Out)
        })?;
        Some(kept.because(
            Mistake::CharsetNotSigned,
            "`_input_charset` is not in the signed text",
        ))
    }));
    if pairs
        .iter()
        .all(|pair| pair.name != INPUT_CHARSET.as_bytes())
    {
        for label in LABELS {
            changes.push(Change::new(Axis::Set, move |draft| {
                Some(with_charset(draft, label))
            }));
        }
    }
    doubled(pairs, changes);
    for (of_query, sent) in [(true, "query"), (false, "body")] {
        let here = |pair: &Pair<'_>| pair.of_query == of_query;
        let signed = pairs
            .iter()
            .filter(|pair| !here(pair) && pair.keep == Keep::In)
            .count();
        if signed < 2 || !pairs.iter().any(here) {
            continue;
        }
        changes.push(Change::new(Axis::Set, move |draft| {
            let kept =
                draft.with_keep(|_, pair| (pair.of_query == of_query).then_some(Keep::Out))?;
            let detail = format!("the parameters of the {sent} were not signed");
            Some(kept.because(Mistake::ParameterAdded, &detail))
        }));
    }
}

fn with_charset<'a>(draft: &Draft<'a>, label: &'static str) -> Draft<'a> {
    let mut draft = draft.clone();
    let pair = Pair {
        name: Cow::Borrowed(INPUT_CHARSET.as_bytes()),
        value: Cow::Borrowed(label.as_bytes()),
        wire: Cow::Borrowed(label.as_bytes()),
        of_query: true,
        keep: Keep::In,
    };
    draft.pairs.insert(0, pair);
    draft.because(
        Mistake::CharsetNotSent,
        &format!("`_input_charset={label}` was signed"),
    )
}

/// A name that comes more than once, with the last value or with all.
fn doubled<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    let place = |from: usize, pair: &Pair<'_>| {
        let same = |other: &Pair<'_>| other.name == pair.name && !other.value.is_empty();
        pairs.iter().skip(from).any(same)
    };
    let is_doubled = |index: usize, pair: &Pair<'_>| {
        let counts = pair.keep == Keep::In && !pair.value.is_empty();
        counts && place(index + 1, pair)
    };
    let names: Vec<&[u8]> = pairs
        .iter()
        .enumerate()
        .filter(|(index, pair)| is_doubled(*index, pair))
        .map(|(_, pair)| pair.name.as_ref())
        .collect();
    if names.is_empty() {
        return;
    }
    let shown: Vec<String> = names
        .iter()
        .map(|name| name.escape_ascii().to_string())
        .collect();
    let shown = shown.join(", ");
    let (all, last) = (names.clone(), names);
    let detail = format!("every {shown} was signed");
    changes.push(Change::new(Axis::Set, move |draft| {
        let kept =
            draft.with_keep(|_, pair| all.contains(&pair.name.as_ref()).then_some(Keep::In))?;
        Some(kept.because(Mistake::ParameterDoubled, &detail))
    }));
    let detail = format!("the last {shown} was signed, the first one counts");
    changes.push(Change::new(Axis::Set, move |draft| {
        let is_last = |index: usize, pair: &Pair<'_>| {
            let mut after = draft.pairs.iter().skip(index + 1);
            after.all(|other| other.name != pair.name || other.value.is_empty())
        };
        let kept = draft.with_keep(|index, pair| {
            let named = last.contains(&pair.name.as_ref());
            let keep = if is_last(index, pair) && !pair.value.is_empty() {
                Keep::In
            } else {
                Keep::Out
            };
            named.then_some(keep)
        })?;
        Some(kept.because(Mistake::ParameterDoubled, &detail))
    }));
}

fn labels(changes: &mut Vec<Change<'_>>) {
    for label in LABELS {
        changes.push(Change::new(Axis::Label, move |draft| {
            let is_label = |pair: &Pair<'_>| pair.name == INPUT_CHARSET.as_bytes();
            let sent = draft
                .pairs
                .iter()
                .find(|pair| is_label(pair) && pair.keep == Keep::In)?;
            let sent = sent.value.escape_ascii().to_string();
            let changed =
                draft.with_values(|pair| is_label(pair).then(|| label.as_bytes().to_vec()))?;
            let detail = format!("`{label}` was signed, `{sent}` was sent");
            Some(changed.because(Mistake::CharsetLabelDiffers, &detail))
        }));
    }
}

/// A change of all values that says which ones it changed.
fn of_values<'a>(
    mistake: Mistake,
    detail: impl Into<String>,
    change: impl Fn(&Pair<'_>) -> Option<Vec<u8>> + 'a,
) -> Change<'a> {
    let detail = detail.into();
    Change::new(Axis::Value, move |draft| {
        let changed = draft.with_values(&change)?;
        let names: Vec<String> = draft
            .pairs
            .iter()
            .zip(&changed.pairs)
            .filter(|(before, after)| before.value != after.value)
            .map(|(before, _)| before.label())
            .collect();
        Some(changed.because(mistake, &format!("{detail}: {}", names.join(", "))))
    })
}

fn charsets(changes: &mut Vec<Change<'_>>) {
    let mut push = |detail: &str, recode: fn(&[u8]) -> Option<Vec<u8>>| {
        changes.push(of_values(Mistake::CharsetDiffers, detail, move |pair| {
            recode(&pair.value)
        }));
    };
    push("signed in GBK, sent in UTF-8", |value| {
        Some(
            Charset::Gbk
                .encode(std::str::from_utf8(value).ok()?)
                .into_owned(),
        )
    });
    push("signed in UTF-8, sent in GBK", |value| {
        Some(Charset::Gbk.decode(value).ok()?.into_owned().into_bytes())
    });
    push("signed in GB2312, sent in UTF-8", |value| {
        Some(
            Charset::Gb2312
                .encode(std::str::from_utf8(value).ok()?)
                .into_owned(),
        )
    });
    push("signed in ISO-8859-1, sent in UTF-8", |value| {
        let letters = std::str::from_utf8(value).ok()?.chars();
        Some(
            letters
                .map(|letter| u8::try_from(letter).unwrap_or(b'?'))
                .collect(),
        )
    });
    push(
        "signed in ASCII, each other letter as `?`, sent in UTF-8",
        |value| {
            let letters = std::str::from_utf8(value).ok()?.chars();
            Some(
                letters
                    .map(|letter| {
                        u8::try_from(letter)
                            .ok()
                            .filter(u8::is_ascii)
                            .unwrap_or(b'?')
                    })
                    .collect(),
            )
        },
    );
    push(
        "signed in UTF-8 after it was taken for ISO-8859-1",
        |value| {
            let letters = value.iter().map(|&byte| char::from(byte));
            Some(letters.collect::<String>().into_bytes())
        },
    );
}

/// The letters that an encoder leaves, how it writes a blank, and who it is.
const ENCODERS: [(&[u8], bool, &str); 7] = [
    (b"-_.*", true, "as by Java's URLEncoder"),
    (b"-_.~", false, "as by RFC 3986"),
    (b"-_.", true, "as by PHP's urlencode"),
    (b"-_.*", false, "as a form with %20"),
    (b"-_.!~*'()", false, "as by encodeURIComponent"),
    (b"-_.!*()", true, "as by .NET's UrlEncode"),
    (b"-_.!~*'();,/?:@&=+$#", false, "as by encodeURI"),
];

fn encode(value: &[u8], kept: &[u8], plus: bool, upper: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() * 2);
    for &byte in value {
        if byte.is_ascii_alphanumeric() || kept.contains(&byte) {
            out.push(byte);
        } else if byte == b' ' && plus {
            out.push(b'+');
        } else if upper {
            out.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            out.extend_from_slice(format!("%{byte:02x}").as_bytes());
        }
    }
    out
}

fn encodings(changes: &mut Vec<Change<'_>>) {
    for upper in [true, false] {
        for (kept, plus, who) in ENCODERS {
            let small = if upper { "" } else { " in small letters" };
            let detail = format!("URL-encoded{small} before signing, {who}");
            let change = of_values(Mistake::ValuesEncoded, detail, move |pair| {
                Some(encode(&pair.value, kept, plus, upper))
            });
            let usual = kept == b"-_.*" || kept == b"-_.~";
            changes.push(if usual { change } else { change.alone() });
        }
    }
    changes.push(of_values(
        Mistake::ValuesEncoded,
        "signed as they were sent, encoded",
        |pair| Some(pair.wire.to_vec()),
    ));
    changes.push(of_values(
        Mistake::EncodedTwice,
        "still encoded after decoding",
        |pair| {
            let mut out = Vec::new();
            percent_decode(&pair.value, &mut out);
            Some(out)
        },
    ));
    changes.push(of_values(
        Mistake::NotEncoded,
        "a raw `+` became a blank",
        |pair| Some(plus_kept(&pair.wire)),
    ));
    let spellings: [(&str, Rewrite); 4] = [
        ("signed before entities were made of it", entity::unescape),
        ("signed with `&`, `<`, `>` and `\"` as entities", |value| {
            entity::escape(value, "'")
        }),
        ("signed with `&#39;` and other entities", |value| {
            entity::escape(value, "&#39;")
        }),
        ("signed with `&#039;` and other entities", |value| {
            entity::escape(value, "&#039;")
        }),
    ];
    for (detail, change) in spellings {
        changes.push(of_values(Mistake::EntityDamage, detail, move |pair| {
            Some(change(&pair.value))
        }));
    }
}

/// The value as it was when a raw `+` was meant.
fn plus_kept(wire: &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    percent_decode(&swap(wire, b"+", b"%2B"), &mut value);
    value
}

fn orders(changes: &mut Vec<Change<'_>>) {
    for &(order, detail) in Order::WRONG {
        changes.push(Change::new(Axis::Order, move |draft| {
            let mut draft = draft.clone();
            draft.order = order;
            Some(draft.because(Mistake::OrderWrong, detail))
        }));
    }
}

fn finishes(changes: &mut Vec<Change<'_>>) {
    changes.push(Change::new(Axis::Finish, |draft| {
        let mut draft = draft.clone();
        draft.quoted = true;
        Some(draft.because(Mistake::ValuesQuoted, "each value stands in double quotes"))
    }));
    let finishes: [(Mistake, &str, Rewrite); 5] = [
        (
            Mistake::EntityDamage,
            "the signed text has entities where `&` and a name stood",
            entity::damage,
        ),
        (
            Mistake::EntityDamage,
            "the signed text has entities in ISO-8859-1",
            entity::damage_latin1,
        ),
        (
            Mistake::EntityDamage,
            "the signed text has `&amp;` for `&`",
            |text| entity::escape(text, "'"),
        ),
        (
            Mistake::ValuesEncoded,
            "the joined text was URL-encoded before signing",
            |text| encode(text, b"-_.*", true, true),
        ),
        (
            Mistake::ValuesEncoded,
            "the joined text was URL-encoded before signing",
            |text| encode(text, b"-_.~", false, true),
        ),
    ];
    for (mistake, detail, finish) in finishes {
        changes.push(Change::new(Axis::Finish, move |draft| {
            let mut draft = draft.clone();
            draft.finish = Some(finish);
            Some(draft.because(mistake, detail))
        }));
    }
}

fn drops<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    for (index, pair) in pairs.iter().enumerate() {
        if pair.keep != Keep::In || pair.value.is_empty() {
            continue;
        }
        let detail = format!("`{}` was not signed", pair.label());
        changes.push(Change::new(Axis::Drop, move |draft| {
            // A charset that was put in front moves all places.
            let shift = draft.pairs.len().saturating_sub(pairs.len());
            let kept = draft.with_keep(|at, _| (at == index + shift).then_some(Keep::Out))?;
            Some(kept.because(Mistake::ParameterAdded, &detail))
        }));
    }
}

/// A decimal in other spellings of the same number: without zeros at the end, with one decimal,
/// with two.
fn decimal_forms(name: &[u8], value: &[u8]) -> Option<[String; 3]> {
    let (name, value) = (
        std::str::from_utf8(name).ok()?,
        std::str::from_utf8(value).ok()?,
    );
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let digits = |text: &str| text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    let of_money = ["amount", "fee", "price", "rate", "quantity"]
        .iter()
        .any(|word| name.contains(word));
    if whole.is_empty() || !digits(whole) || !digits(decimals) || !(of_money || value.contains('.'))
    {
        return None;
    }
    let significant = decimals.trim_end_matches('0');
    let short = if significant.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{significant}")
    };
    Some([
        short,
        format!("{whole}.{significant:0<1}"),
        format!("{whole}.{significant:0<2}"),
    ])
}

fn decimals<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    for form in 0..3 {
        changes.push(of_values(
            Mistake::DecimalChanged,
            "signed with other zeros at the end",
            move |pair| {
                let forms = decimal_forms(&pair.name, &pair.value)?;
                forms.get(form).map(|text| text.clone().into_bytes())
            },
        ));
    }
    for pair in pairs.iter().filter(|pair| pair.keep == Keep::In) {
        for form in decimal_forms(&pair.name, &pair.value).into_iter().flatten() {
            let detail = format!(
                "`{form}` was signed, `{}` was sent",
                pair.value.escape_ascii()
            );
            changes.push(replace(Mistake::DecimalChanged, detail, pair, form.into_bytes()).alone());
        }
    }
}

/// One value that was another one when it was signed.
fn replace<'a>(
    mistake: Mistake,
    detail: String,
    pair: &'a Pair<'static>,
    signed: Vec<u8>,
) -> Change<'a> {
    Change::new(Axis::Value, move |draft| {
        let same = |other: &Pair<'_>| other.name == pair.name && other.value == pair.value;
        let changed = draft.with_values(|other| same(other).then(|| signed.clone()))?;
        Some(changed.because(mistake, &format!("{}: {detail}", pair.label())))
    })
}

/// Values that are written anew as JSON; the services have one each.
const JSON_VALUES_MAX: usize = 4;

fn json<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    let kept = pairs.iter().filter(|pair| pair.keep == Keep::In);
    let values = kept.filter_map(|pair| {
        let forms = json_forms::forms(std::str::from_utf8(&pair.value).ok()?);
        (!forms.is_empty()).then_some((pair, forms))
    });
    for (pair, forms) in values.take(JSON_VALUES_MAX) {
        for (place, (form, style)) in forms.into_iter().enumerate() {
            let detail = format!("signed {style}");
            let change = replace(Mistake::JsonChanged, detail, pair, form.into_bytes());
            changes.push(if place < 2 { change } else { change.alone() });
        }
    }
}

fn whole_blanks(changes: &mut Vec<Change<'_>>) {
    let spellings: [(&str, Rewrite); 5] = [
        ("signed without the blanks at its ends", |value| {
            value.trim_ascii().to_vec()
        }),
        ("signed with single blanks where more were sent", collapse),
        ("signed with \\n, sent with \\r\\n", |value| {
            swap(value, b"\r\n", b"\n")
        }),
        ("signed with \\r\\n, sent with \\n", |value| {
            swap(&swap(value, b"\r\n", b"\n"), b"\n", b"\r\n")
        }),
        ("signed without its blanks", |value| {
            value
                .iter()
                .copied()
                .filter(|byte| !byte.is_ascii_whitespace())
                .collect()
        }),
    ];
    for (detail, change) in spellings {
        changes.push(of_values(Mistake::BlanksChanged, detail, move |pair| {
            Some(change(&pair.value))
        }));
    }
}

fn single_blanks<'a>(pairs: &'a [Pair<'static>], changes: &mut Vec<Change<'a>>) {
    for pair in pairs.iter().filter(|pair| pair.wire.contains(&b'+')) {
        let detail = "a raw `+` became a blank".to_owned();
        let signed = plus_kept(&pair.wire);
        changes.push(replace(Mistake::NotEncoded, detail, pair, signed).alone());
    }
    for (before, after, detail) in [
        ("", " ", "signed with a blank behind it"),
        (" ", "", "signed with a blank before it"),
        ("", "\n", "signed with \\n behind it"),
        ("", "\r\n", "signed with \\r\\n behind it"),
        (" ", " ", "signed with a blank on each side"),
    ] {
        for pair in pairs
            .iter()
            .filter(|pair| pair.keep == Keep::In && !pair.value.is_empty())
        {
            let signed = [before.as_bytes(), &pair.value, after.as_bytes()].concat();
            changes.push(replace(Mistake::BlanksChanged, detail.to_owned(), pair, signed).alone());
        }
    }
}

fn collapse(value: &[u8]) -> Vec<u8> {
    let mut out = value.to_vec();
    out.dedup_by(|next, before| *next == b' ' && *before == b' ');
    out
}

/// Every `from` as `to`.
pub(super) fn swap(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = after;
        } else {
            out.push(first);
            rest = after;
        }
    }
    out
}

/// Parameters as they were before the way damaged them.
pub(super) struct Repaired {
    pub(super) pairs: Vec<Pair<'static>>,
    pub(super) mistake: Mistake,
    pub(super) detail: String,
    /// Whether what arrived looks so damaged that this comes before all changes.
    pub(super) evident: bool,
}

/// Every way in which what arrived may have been split otherwise when it was signed.
pub(super) fn repairs(query: &[u8], body: &[u8]) -> Vec<Repaired> {
    let mut repaired = Vec::new();
    let mut push = |pairs, mistake, detail, evident| {
        repaired.push(Repaired {
            pairs,
            mistake,
            detail,
            evident,
        });
    };
    let (of_query, of_body) = (pieces(query), pieces(body));
    let is_escaped = |piece: &&[u8]| piece.starts_with(b"amp;");
    let without = |list: &[&[u8]]| -> Vec<Vec<u8>> {
        let amp = |piece: &&[u8]| piece.strip_prefix(b"amp;").unwrap_or(piece).to_vec();
        list.iter().map(amp).collect()
    };
    if of_query.iter().chain(&of_body).any(is_escaped) {
        let pairs = draft::read(&without(&of_query), &without(&of_body));
        push(pairs, Mistake::EntityDamage, AMP_SENT.to_owned(), true);
    }
    let (query_mended, body_mended) = (entity::mend(query), entity::mend(body));
    if query_mended != query || body_mended != body {
        let pairs = draft::read(&pieces(&query_mended), &pieces(&body_mended));
        let names = pairs.iter().filter(|pair| entity::starts_name(&pair.name));
        let names: Vec<String> = names.map(Pair::label).collect();
        let names = names.join(", ");
        let detail = format!("`&` and the beginning of a name were taken for an entity: {names}");
        push(pairs, Mistake::EntityDamage, detail, true);
    }
    for Join {
        pieces,
        detail,
        evident,
    } in joins(&of_query)
    {
        let pairs = draft::read(&pieces, &of_body);
        push(pairs, Mistake::NotEncoded, detail, evident);
    }
    for Join {
        pieces,
        detail,
        evident,
    } in joins(&of_body)
    {
        let pairs = draft::read(&of_query, &pieces);
        push(pairs, Mistake::NotEncoded, detail, evident);
    }
    repaired
}

/// What it looks like when a whole request went through HTML.
pub(super) const AMP_SENT: &str = "names begin with `amp;`: `&amp;` was sent for `&`";

/// How many pieces of a value that was cut at `&` are put together again.
const JOINED_MAX: usize = 4;

/// The pieces with a run of them joined.
struct Join {
    pieces: Vec<Vec<u8>>,
    detail: String,
    evident: bool,
}

/// Every way to undo a cut: a value with a raw `&` was taken for several parameters.
fn joins(pieces: &[&[u8]]) -> Vec<Join> {
    let mut joins = Vec::new();
    for size in 2..=JOINED_MAX {
        for (start, run) in pieces.windows(size).enumerate() {
            let (before, after) = (pieces.get(..start), pieces.get(start + size..));
            let list = before.into_iter().flatten().map(|piece| piece.to_vec());
            let list = list.chain([run.join(b"%26".as_slice())]);
            let list = list.chain(after.into_iter().flatten().map(|piece| piece.to_vec()));
            let Some((first, rest)) = run.split_first() else {
                continue;
            };
            let name = first.split(|&byte| byte == b'=').next().unwrap_or_default();
            let detail = format!("`{}` was cut at a raw `&`", name.escape_ascii());
            // The query of an address was cut, or what is left has no name.
            let address = first.contains(&b'?') || contains(first, b"%3F");
            let nameless = rest.iter().all(|piece| !piece.contains(&b'='));
            joins.push(Join {
                pieces: list.collect(),
                detail,
                evident: address || nameless,
            });
        }
    }
    joins
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    let found = |window: &[u8]| window.eq_ignore_ascii_case(part);
    text.windows(part.len()).any(found)
}
