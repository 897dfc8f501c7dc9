//! What somebody may have signed: the parameters, in an order, joined.

use std::borrow::Cow;

use super::mistake::{Cause, Mistake};
use crate::form::percent_decode;

/// Whether a parameter is part of the signed text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Out,
    In,
    /// Also with an empty value.
    Always,
}

/// A parameter, decoded, with its value as it was sent.
#[derive(Clone)]
pub(super) struct Pair<'a> {
    pub(super) name: Cow<'a, [u8]>,
    pub(super) value: Cow<'a, [u8]>,
    pub(super) wire: Cow<'a, [u8]>,
    pub(super) of_query: bool,
    pub(super) keep: Keep,
}

impl Pair<'_> {
    fn read(piece: &[u8], of_query: bool) -> Pair<'static> {
        let equals = piece.iter().position(|&byte| byte == b'=');
        let (name, wire) = piece.split_at(equals.unwrap_or(piece.len()));
        let wire = wire.strip_prefix(b"=").unwrap_or(wire);
        let decode = |bytes| {
            let mut out = Vec::new();
            percent_decode(bytes, &mut out);
            Cow::Owned(out)
        };
        Pair {
            name: decode(name),
            value: decode(wire),
            wire: Cow::Owned(wire.to_vec()),
            of_query,
            keep: Keep::In,
        }
    }

    fn borrow(&self) -> Pair<'_> {
        Pair {
            name: Cow::Borrowed(&self.name),
            value: Cow::Borrowed(&self.value),
            wire: Cow::Borrowed(&self.wire),
            ..*self
        }
    }

    /// The name for a person.
    pub(super) fn label(&self) -> String {
        self.name.escape_ascii().to_string()
    }
}

/// The `name=value` pieces of a query or body, undecoded.
pub(super) fn pieces(encoded: &[u8]) -> Vec<&[u8]> {
    encoded
        .split(|&byte| byte == b'&')
        .filter(|piece| !piece.is_empty())
        .collect()
}

/// The parameters of a query and a body; what is never signed, and all but one of several values
/// of a name, is out.
pub(super) fn read<Q: AsRef<[u8]>, B: AsRef<[u8]>>(query: &[Q], body: &[B]) -> Vec<Pair<'static>> {
    let of_query = query.iter().map(|piece| Pair::read(piece.as_ref(), true));
    let of_body = body.iter().map(|piece| Pair::read(piece.as_ref(), false));
    let mut pairs: Vec<Pair<'static>> = of_query.chain(of_body).collect();
    let counts: Vec<bool> = pairs
        .iter()
        .enumerate()
        .map(|(index, pair)| {
            let unsigned = [b"sign".as_slice(), b"sign_type"].contains(&pair.name.as_ref());
            !unsigned && first_with_value(&pairs, &pair.name) == Some(index)
        })
        .collect();
    for (pair, counts) in pairs.iter_mut().zip(counts) {
        pair.keep = if counts { Keep::In } else { Keep::Out };
    }
    pairs
}

/// Which of several values of a name counts: the first that is not empty, as in the form.
fn first_with_value(pairs: &[Pair<'_>], name: &[u8]) -> Option<usize> {
    let mut named = (0..).zip(pairs).filter(|(_, pair)| pair.name == name);
    let first = named.clone().next();
    let with_value = named.find(|(_, pair)| !pair.value.is_empty());
    with_value.or(first).map(|(index, _)| index)
}

/// How the pairs are sorted before they are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By the bytes of the names, as the rule says.
    Bytes,
    Arrival,
    BodyFirst,
    Folded,
    Descending,
    /// `_` behind the letters, as after a change to upper case or in some locales.
    UnderscoreLast,
    /// `_` is passed over, as in most locales.
    UnderscoreIgnored,
    /// By name and value together, `=` between them.
    WholePair,
    ByValue,
}

impl Order {
    /// Every wrong one, with its name.
    pub(super) const WRONG: &[(Self, &str)] = &[
        (Self::Arrival, "the order in which they were sent"),
        (Self::Folded, "sorted without regard to case"),
        (Self::UnderscoreLast, "sorted with `_` after the letters"),
        (
            Self::UnderscoreIgnored,
            "sorted by a locale that passes over `_`",
        ),
        (Self::Descending, "sorted descending"),
        (Self::WholePair, "sorted by `name=value` and not by name"),
        (
            Self::BodyFirst,
            "the order in which they were sent, the body before the query",
        ),
        (Self::ByValue, "sorted by value"),
    ];

    fn sort(self, pairs: &mut [&Pair<'_>]) {
        let lower = |pair: &Pair<'_>| pair.name.to_ascii_lowercase();
        let mapped = |pair: &Pair<'_>| -> Vec<u8> {
            let last = |byte: &u8| if *byte == b'_' { 0x7F } else { *byte };
            pair.name.iter().map(last).collect()
        };
        let ignored = |pair: &Pair<'_>| -> Vec<u8> {
            let mut name = lower(pair);
            name.retain(|&byte| byte != b'_');
            name
        };
        match self {
            Self::Bytes => pairs.sort_by(|one, other| one.name.cmp(&other.name)),
            Self::Arrival => {}
            Self::BodyFirst => pairs.sort_by_key(|pair| pair.of_query),
            Self::Folded => pairs.sort_by_cached_key(|pair| lower(pair)),
            Self::Descending => pairs.sort_by(|one, other| other.name.cmp(&one.name)),
            Self::UnderscoreLast => pairs.sort_by_cached_key(|pair| mapped(pair)),
            Self::UnderscoreIgnored => pairs.sort_by_cached_key(|pair| ignored(pair)),
            Self::WholePair => pairs.sort_by_cached_key(|pair| {
                [pair.name.as_ref(), b"=", pair.value.as_ref()].concat()
            }),
            Self::ByValue => pairs.sort_by(|one, other| one.value.cmp(&other.value)),
        }
    }
}

/// A way to write a text otherwise.
pub(super) type Rewrite = fn(&[u8]) -> Vec<u8>;

/// One guess at the signed text, with the mistakes that lead to it.
#[derive(Clone)]
pub(super) struct Draft<'a> {
    pub(super) pairs: Vec<Pair<'a>>,
    pub(super) order: Order,
    pub(super) empties: bool,
    pub(super) quoted: bool,
    pub(super) finish: Option<Rewrite>,
    pub(super) causes: Vec<Cause>,
}

impl<'a> Draft<'a> {
    /// The text of the rule.
    pub(super) fn of(pairs: &'a [Pair<'static>]) -> Self {
        Self {
            pairs: pairs.iter().map(Pair::borrow).collect(),
            order: Order::Bytes,
            empties: false,
            quoted: false,
            finish: None,
            causes: Vec::new(),
        }
    }

    /// The same with other values, where there are any.
    pub(super) fn with_values(
        &self,
        change: impl Fn(&Pair<'_>) -> Option<Vec<u8>>,
    ) -> Option<Draft<'a>> {
        let kept = self.pairs.iter().enumerate();
        let kept = kept.filter(|(_, pair)| pair.keep != Keep::Out);
        let changed = kept.filter_map(|(index, pair)| {
            let value = change(pair).filter(|value| *value != *pair.value)?;
            Some((index, value))
        });
        // Most changes change nothing, so the copy comes last.
        let changed: Vec<(usize, Vec<u8>)> = changed.collect();
        if changed.is_empty() {
            return None;
        }
        let mut draft = self.clone();
        for (index, value) in changed {
            if let Some(pair) = draft.pairs.get_mut(index) {
                pair.value = Cow::Owned(value);
            }
        }
        Some(draft)
    }

    /// The same with another parameter set.
    pub(super) fn with_keep(
        &self,
        keep: impl Fn(usize, &Pair<'_>) -> Option<Keep>,
    ) -> Option<Draft<'a>> {
        let mut draft = self.clone();
        let mut changed = false;
        for (index, pair) in draft.pairs.iter_mut().enumerate() {
            if let Some(keep) = keep(index, pair).filter(|keep| *keep != pair.keep) {
                pair.keep = keep;
                changed = true;
            }
        }
        changed.then_some(draft)
    }

    pub(super) fn because(mut self, mistake: Mistake, detail: &str) -> Self {
        // Two parameters that were added are one mistake.
        match self
            .causes
            .iter_mut()
            .find(|cause| cause.mistake == mistake)
        {
            Some(cause) => {
                cause.detail.push_str("; ");
                cause.detail.push_str(detail);
            }
            None => self.causes.push(Cause::new(mistake, detail)),
        }
        self
    }

    /// The bytes that would be signed.
    pub(super) fn text(&self) -> Vec<u8> {
        let mut pairs: Vec<&Pair<'_>> = self
            .pairs
            .iter()
            .filter(|pair| match pair.keep {
                Keep::Out => false,
                Keep::In => self.empties || !pair.value.is_empty(),
                Keep::Always => true,
            })
            .collect();
        self.order.sort(&mut pairs);
        let quote: &[u8] = if self.quoted { b"\"" } else { b"" };
        let mut text = Vec::with_capacity(1_024);
        for (index, pair) in pairs.into_iter().enumerate() {
            if index > 0 {
                text.push(b'&');
            }
            for part in [&pair.name, b"=".as_slice(), quote, &pair.value, quote] {
                text.extend_from_slice(part);
            }
        }
        match self.finish {
            Some(finish) => finish(&text),
            None => text,
        }
    }
}
