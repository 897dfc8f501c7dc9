//! The flat JSON objects inside parameters, such as `extend_info` (`spec/02`).
//!
//! Only texts are wanted from them, so this is a reader of one level: numbers and booleans are
//! given as they are spelled, deeper values are checked and passed over.

use std::borrow::Cow;

/// How deep a value may be nested.
const DEPTH_MAX: u32 = 16;

/// Not a JSON object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct NotAnObject;

/// Reads an object, or `null`, and gives each member in order; a null or nested value is `None`.
pub(crate) fn read_object<'a>(
    text: &'a str,
    mut member: impl FnMut(&str, Option<Cow<'a, str>>),
) -> Result<(), NotAnObject> {
    let mut cursor = Cursor { rest: text };
    cursor.blanks();
    if cursor.rest.starts_with('{') {
        cursor.object(0, &mut member)?;
    } else if cursor.scalar()? != "null" {
        return Err(NotAnObject);
    }
    cursor.end()
}

/// The members of an object in order; a null or nested value is `None`.
pub(crate) type Members<'a> = Vec<(Box<str>, Option<Cow<'a, str>>)>;

/// Reads a list of objects; one object alone is a list of one.
pub(crate) fn read_list(text: &str) -> Result<Vec<Members<'_>>, NotAnObject> {
    let mut cursor = Cursor { rest: text };
    let mut list = Vec::new();
    if cursor.takes('[') {
        if !cursor.takes(']') {
            loop {
                list.push(cursor.members()?);
                if cursor.takes(']') {
                    break;
                }
                cursor.needs(',')?;
            }
        }
    } else {
        list.push(cursor.members()?);
    }
    cursor.end()?;
    Ok(list)
}

/// Whether a text is JSON, of whatever kind.
pub(crate) fn is_json(text: &str) -> bool {
    let mut cursor = Cursor { rest: text };
    cursor.value(0).is_ok() && cursor.end().is_ok()
}

/// Appends `"text"` with what JSON wants escaped.
pub(crate) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
}

struct Cursor<'a> {
    rest: &'a str,
}

type Member<'m, 'a> = &'m mut dyn FnMut(&str, Option<Cow<'a, str>>);

impl<'a> Cursor<'a> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Takes one character after blanks.
    fn takes(&mut self, wanted: char) -> bool {
        self.blanks();
        let after = self.rest.strip_prefix(wanted);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn needs(&mut self, wanted: char) -> Result<(), NotAnObject> {
        if self.takes(wanted) {
            Ok(())
        } else {
            Err(NotAnObject)
        }
    }

    /// Nothing but blanks is left.
    fn end(&mut self) -> Result<(), NotAnObject> {
        self.blanks();
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(NotAnObject)
        }
    }

    fn members(&mut self) -> Result<Members<'a>, NotAnObject> {
        let mut members = Vec::new();
        self.object(0, &mut |name, value| members.push((name.into(), value)))?;
        Ok(members)
    }

    fn object(&mut self, depth: u32, member: Member<'_, 'a>) -> Result<(), NotAnObject> {
        self.needs('{')?;
        if self.takes('}') {
            return Ok(());
        }
        loop {
            self.blanks();
            let name = self.string()?;
            self.needs(':')?;
            let value = self.value(depth)?;
            member(&name, value);
            if self.takes('}') {
                return Ok(());
            }
            self.needs(',')?;
        }
    }

    fn array(&mut self, depth: u32) -> Result<(), NotAnObject> {
        self.needs('[')?;
        if self.takes(']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            if self.takes(']') {
                return Ok(());
            }
            self.needs(',')?;
        }
    }

    fn value(&mut self, depth: u32) -> Result<Option<Cow<'a, str>>, NotAnObject> {
        if depth >= DEPTH_MAX {
            return Err(NotAnObject);
        }
        self.blanks();
        match self.rest.bytes().next() {
            Some(b'"') => self.string().map(Some),
            Some(b'{') => self.object(depth + 1, &mut |_, _| {}).map(|()| None),
            Some(b'[') => self.array(depth + 1).map(|()| None),
            Some(_) | None => match self.scalar()? {
                "null" => Ok(None),
                text => Ok(Some(Cow::Borrowed(text))),
            },
        }
    }

    /// A number, `true`, `false` or `null`, as it is spelled.
    fn scalar(&mut self) -> Result<&'a str, NotAnObject> {
        let outside = |letter: char| !letter.is_ascii_alphanumeric() && !"+-.".contains(letter);
        let (text, rest) = self
            .rest
            .split_at(self.rest.find(outside).unwrap_or(self.rest.len()));
        let number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let known = matches!(text, "null" | "true" | "false");
        if known || (number && text.parse::<Numeral>().is_ok()) {
            self.rest = rest;
            return Ok(text);
        }
        Err(NotAnObject)
    }

    fn string(&mut self) -> Result<Cow<'a, str>, NotAnObject> {
        let body = self.rest.strip_prefix('"').ok_or(NotAnObject)?;
        let stop = |letter: char| letter == '"' || letter == '\\' || letter < ' ';
        let (plain, mut rest) = body.split_at(body.find(stop).ok_or(NotAnObject)?);
        if let Some(after) = rest.strip_prefix('"') {
            self.rest = after;
            return Ok(Cow::Borrowed(plain));
        }
        let mut text = plain.to_owned();
        loop {
            let mut letters = rest.chars();
            match letters.next().ok_or(NotAnObject)? {
                '"' => break self.rest = letters.as_str(),
                '\\' => rest = escape(letters.as_str(), &mut text)?,
                control if control < ' ' => return Err(NotAnObject),
                letter => {
                    text.push(letter);
                    rest = letters.as_str();
                }
            }
        }
        Ok(Cow::Owned(text))
    }
}

/// Reads what follows a backslash; gives what follows that.
fn escape<'a>(after: &'a str, text: &mut String) -> Result<&'a str, NotAnObject> {
    let mut letters = after.chars();
    let letter = match letters.next().ok_or(NotAnObject)? {
        'b' => '\u{8}',
        'f' => '\u{C}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        same @ ('"' | '\\' | '/') => same,
        'u' => return utf16(letters.as_str(), text),
        _ => return Err(NotAnObject),
    };
    text.push(letter);
    Ok(letters.as_str())
}

/// Reads the digits behind `\u`, and the second half of a pair.
fn utf16<'a>(after: &'a str, text: &mut String) -> Result<&'a str, NotAnObject> {
    let unit = |text: &'a str| {
        let (digits, rest) = text.split_at_checked(4).ok_or(NotAnObject)?;
        let hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let unit = u16::from_str_radix(digits, 16).map_err(|_| NotAnObject)?;
        if hex {
            Ok((unit, rest))
        } else {
            Err(NotAnObject)
        }
    };
    let (first, mut rest) = unit(after)?;
    let mut units = vec![first];
    if (0xD800..0xDC00).contains(&first) {
        let (second, after) = unit(rest.strip_prefix("\\u").ok_or(NotAnObject)?)?;
        units.push(second);
        rest = after;
    }
    text.push_str(&String::from_utf16(&units).map_err(|_| NotAnObject)?);
    Ok(rest)
}

/// The grammar of a JSON number; its value is not wanted.
struct Numeral;

impl std::str::FromStr for Numeral {
    type Err = NotAnObject;

    fn from_str(text: &str) -> Result<Self, NotAnObject> {
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        let text = text.strip_prefix('-').unwrap_or(text);
        let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits(whole) && digits(decimals) && digits(exponent) {
            Ok(Self)
        } else {
            Err(NotAnObject)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, NotAnObject> {
        let mut members = Vec::new();
        read_object(text, |name, value| {
            members.push(format!("{name}={}", value.as_deref().unwrap_or("-")));
        })?;
        Ok(members.join(";"))
    }

    // Goal: what `spec/12`, wire 6 says of extend_info, and strict JSON besides.
    #[test]
    fn objects() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(20), "]".repeat(20));
        for (text, members) in [
            ("null", Some("")),
            ("{}", Some("")),
            (
                r#" { "a" : "b" , "N":null,"n":-1.5e+3,"t":true } "#,
                Some("a=b;N=-;n=-1.5e+3;t=true"),
            ),
            (
                r#"{"a":"\u8336\ud83d\ude00\"\\\/\n"}"#,
                Some("a=茶😀\"\\/\n"),
            ),
            (r#"{"a":{"b":[1,{"c":"}"}]},"d":"e"}"#, Some("a=-;d=e")),
            ("", None),
            ("nul", None),
            ("[]", None),
            ("\"a\"", None),
            ("{\"a\":1", None),
            ("{\"a\":1}x", None),
            ("{\"a\":1,}", None),
            ("{a:1}", None),
            ("{'a':'b'}", None),
            ("{\"a\":\"\\ud83d\"}", None),
            ("{\"a\":\"\\u+123\"}", None),
            ("{\"a\":\"\n\"}", None),
            ("{\"a\":1.}", None),
            ("{\"a\":Infinity}", None),
            (deep.as_str(), None),
        ] {
            assert_eq!(read(text).ok().as_deref(), members, "{text}");
        }
    }

    // Goal: what `extend_params` may be: a list of objects, or one; anything else only if unread.
    #[test]
    fn lists() {
        for (text, count, json) in [
            ("[]", Some(0), true),
            (r#" [ {"a":"b"} , {} ] "#, Some(2), true),
            (r#"{"a":"b"}"#, Some(1), true),
            ("[{}", None, false),
            ("[{},]", None, false),
            ("[{}]x", None, false),
            (r#"["a"]"#, None, true),
            ("[[{}]]", None, true),
            ("null", None, true),
            ("3.5 ", None, true),
            ("\"a\"", None, true),
            ("", None, false),
            ("a", None, false),
        ] {
            assert_eq!(read_list(text).map(|list| list.len()).ok(), count, "{text}");
            assert_eq!(is_json(text), json, "{text}");
        }
        let list = read_list(r#"[{"a":"\u8336","b":null,"c":7}]"#).unwrap();
        let members = [("a", Some("茶")), ("b", None), ("c", Some("7"))]
            .map(|(name, value)| (name.into(), value.map(Cow::Borrowed)));
        assert_eq!(list, [members.to_vec()]);
    }

    proptest! {
        #[test]
        fn strings_round_trip(text: String) {
            let mut json = String::from("{\"a\":");
            write_string(&text, &mut json);
            json.push('}');
            prop_assert_eq!(read(&json), Ok(format!("a={text}")));
        }

        #[test]
        fn any_text_is_read(text in "[\\[\\]{}\",:\\\\u0-9a-f.e+ -]{0,40}") {
            let _ = (read(&text), read_list(&text), is_json(&text));
        }
    }
}
