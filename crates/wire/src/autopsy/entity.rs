//! What HTML does to text that is none.

use super::change::swap;

/// The entities that browsers take without a `;`, which is how `&notify_url` is lost.
const ENTITIES: [(&str, char); 44] = [
    ("quot", '"'),
    ("lt", '<'),
    ("gt", '>'),
    ("nbsp", '\u{A0}'),
    ("iexcl", '\u{A1}'),
    ("cent", '\u{A2}'),
    ("pound", '\u{A3}'),
    ("curren", '\u{A4}'),
    ("yen", '\u{A5}'),
    ("brvbar", '\u{A6}'),
    ("sect", '\u{A7}'),
    ("uml", '\u{A8}'),
    ("copy", '\u{A9}'),
    ("ordf", '\u{AA}'),
    ("laquo", '\u{AB}'),
    ("not", '\u{AC}'),
    ("shy", '\u{AD}'),
    ("reg", '\u{AE}'),
    ("macr", '\u{AF}'),
    ("deg", '\u{B0}'),
    ("plusmn", '\u{B1}'),
    ("sup2", '\u{B2}'),
    ("sup3", '\u{B3}'),
    ("acute", '\u{B4}'),
    ("micro", '\u{B5}'),
    ("para", '\u{B6}'),
    ("middot", '\u{B7}'),
    ("cedil", '\u{B8}'),
    ("sup1", '\u{B9}'),
    ("ordm", '\u{BA}'),
    ("raquo", '\u{BB}'),
    ("frac14", '\u{BC}'),
    ("frac12", '\u{BD}'),
    ("frac34", '\u{BE}'),
    ("iquest", '\u{BF}'),
    ("times", '\u{D7}'),
    ("szlig", '\u{DF}'),
    ("agrave", '\u{E0}'),
    ("aacute", '\u{E1}'),
    ("auml", '\u{E4}'),
    ("aring", '\u{E5}'),
    ("eth", '\u{F0}'),
    ("divide", '\u{F7}'),
    ("thorn", '\u{FE}'),
];

/// Whether a name begins like an entity.
pub(super) fn starts_name(name: &[u8]) -> bool {
    ENTITIES
        .iter()
        .any(|(entity, _)| name.starts_with(entity.as_bytes()))
}

/// The joined text after a browser read it.
pub(super) fn damage(text: &[u8]) -> Vec<u8> {
    damage_as(text, |letter| letter.to_string().into_bytes())
}

/// The same in ISO-8859-1.
pub(super) fn damage_latin1(text: &[u8]) -> Vec<u8> {
    damage_as(text, |letter| vec![u8::try_from(letter).unwrap_or(b'?')])
}

fn damage_as(text: &[u8], write: impl Fn(char) -> Vec<u8>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let known =
            |(name, letter): &(&str, char)| Some((after.strip_prefix(name.as_bytes())?, *letter));
        match ENTITIES.iter().find_map(known).filter(|_| first == b'&') {
            Some((behind, letter)) => {
                out.extend(write(letter));
                rest = behind.strip_prefix(b";").unwrap_or(behind);
            }
            None => {
                out.push(first);
                rest = after;
            }
        }
    }
    out
}

/// The undecoded form before a browser read it: `%C2%ACify_url=` is `&notify_url=`.
pub(super) fn mend(encoded: &[u8]) -> Vec<u8> {
    let lead = |window: &[u8]| matches!(window, [b'%', b'C' | b'c', b'2' | b'3']);
    if encoded.is_ascii() && !encoded.windows(3).any(lead) {
        return encoded.to_vec();
    }
    // `"`, `<` and `>` stand in values for themselves.
    let named = ENTITIES.iter().filter(|(_, letter)| !letter.is_ascii());
    named.fold(encoded.to_vec(), |mended, (name, letter)| {
        let utf8 = letter.to_string().into_bytes();
        let percent = |upper: bool| -> Vec<u8> {
            let write = |byte: &u8| {
                if upper {
                    format!("%{byte:02X}")
                } else {
                    format!("%{byte:02x}")
                }
            };
            utf8.iter().map(write).collect::<String>().into_bytes()
        };
        let entity = format!("&{name}").into_bytes();
        [percent(true), percent(false), utf8.clone()]
            .iter()
            .fold(mended, |mended, form| swap(&mended, form, &entity))
    })
}

/// What has a meaning in HTML as entities, the apostrophe as `apostrophe`.
pub(super) fn escape(text: &[u8], apostrophe: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 64);
    for &byte in text {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&quot;"),
            b'\'' => out.extend_from_slice(apostrophe.as_bytes()),
            other => out.push(other),
        }
    }
    out
}

/// The same back.
pub(super) fn unescape(text: &[u8]) -> Vec<u8> {
    let entities = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#034;", "\""),
        ("&#39;", "'"),
        ("&#039;", "'"),
        ("&apos;", "'"),
        ("&amp;", "&"),
    ];
    entities
        .iter()
        .fold(text.to_vec(), |text, (entity, letter)| {
            swap(&text, entity.as_bytes(), letter.as_bytes())
        })
}
