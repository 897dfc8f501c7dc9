//! The same JSON as other libraries write it.

use std::fmt::Write as _;

/// The longest value that is written anew; `extend_info` has some hundred bytes.
const JSON_BYTES_MAX: usize = 4_096;
/// How deep a value may be nested; deeper ones are left alone.
const DEPTH_MAX: u32 = 16;

#[derive(Clone)]
enum Node {
    Text(String),
    /// A number, `true`, `false` or `null`, as it is spelled.
    Bare(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// A way to write JSON.
#[derive(Clone, Copy)]
struct Style {
    /// Behind `,` and behind `:`.
    blanks: (&'static str, &'static str),
    /// Of one level, when each member has its line.
    indent: Option<&'static str>,
    sorted: bool,
    slashes_escaped: bool,
    letters: Letters,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    Plain,
    /// `\u` for all that is not ASCII.
    Escaped,
    EscapedUpper,
    /// `\u` for what HTML gives a meaning, as Gson does.
    HtmlSafe,
}

/// Every style with its name; the first ones are the most usual.
fn styles() -> Vec<(Style, String)> {
    let spacings = [
        (("", ""), None, "compact"),
        ((" ", " "), None, "with blanks behind commas and colons"),
        (("", " "), None, "with blanks behind colons"),
        ((" ", ""), None, "with blanks behind commas"),
        (("", " "), Some("  "), "on lines indented by two"),
        (("", " "), Some("    "), "on lines indented by four"),
        (("", " "), Some("\t"), "on lines indented by tabs"),
    ];
    let letters = [
        (Letters::Plain, ""),
        (Letters::Escaped, ", letters as \\u escapes"),
        (
            Letters::EscapedUpper,
            ", letters as \\U escapes in capitals",
        ),
        (
            Letters::HtmlSafe,
            ", `=`, `&`, `<`, `>` and `'` as \\u escapes",
        ),
    ];
    let mut styles = Vec::new();
    for sorted in [false, true] {
        for slashes_escaped in [false, true] {
            for (letters, letters_name) in letters {
                for (blanks, indent, name) in spacings {
                    let sort = if sorted { ", keys sorted" } else { "" };
                    let slash = if slashes_escaped {
                        ", `/` as `\\/`"
                    } else {
                        ""
                    };
                    let style = Style {
                        blanks,
                        indent,
                        sorted,
                        slashes_escaped,
                        letters,
                    };
                    styles.push((style, format!("{name}{sort}{slash}{letters_name}")));
                }
            }
        }
    }
    styles
}

/// The text in every style that differs from it, with the name of the style.
pub(super) fn forms(text: &str) -> Vec<(String, String)> {
    if text.len() > JSON_BYTES_MAX || !text.trim_start().starts_with(['{', '[']) {
        return Vec::new();
    }
    let Some(node) = read(text) else {
        return Vec::new();
    };
    let mut forms: Vec<(String, String)> = Vec::new();
    let mut push = |style: Style, node: &Node, name: String| {
        let mut out = String::with_capacity(text.len() + 64);
        style.write(node, 0, &mut out);
        if out != text && forms.iter().all(|(known, _)| *known != out) {
            forms.push((out, name));
        }
    };
    for (style, name) in styles() {
        push(style, &node, name);
    }
    let Node::Map(members) = node else {
        return forms;
    };
    let plain = styles().into_iter().next().map(|(style, _)| style);
    if let Some(plain) = plain.filter(|_| members.len() <= MEMBERS_PERMUTED_MAX) {
        for order in orders(members) {
            push(
                plain,
                &Node::Map(order),
                "compact, keys in another order".to_owned(),
            );
        }
    }
    forms
}

/// Members of an object up to which every order is tried, as a hash map may give any: 120 orders.
const MEMBERS_PERMUTED_MAX: usize = 5;

/// Every order of the members.
fn orders(members: Vec<(String, Node)>) -> Vec<Vec<(String, Node)>> {
    members
        .into_iter()
        .fold(vec![Vec::new()], |orders, member| {
            let with_it = |order: &Vec<(String, Node)>, at: usize| {
                let mut order = order.clone();
                order.insert(at, member.clone());
                order
            };
            let places = orders
                .iter()
                .flat_map(|order| (0..=order.len()).map(move |at| (order, at)));
            places.map(|(order, at)| with_it(order, at)).collect()
        })
}

impl Style {
    fn write(self, node: &Node, depth: usize, out: &mut String) {
        match node {
            Node::Text(text) => self.write_text(text, out),
            Node::Bare(text) => out.push_str(text),
            Node::List(items) => {
                out.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.separate(index, depth, out);
                    self.write(item, depth + 1, out);
                }
                self.close(items.is_empty(), depth, out);
                out.push(']');
            }
            Node::Map(members) => {
                let mut members: Vec<&(String, Node)> = members.iter().collect();
                if self.sorted {
                    members.sort_by(|one, other| one.0.cmp(&other.0));
                }
                out.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    self.separate(index, depth, out);
                    self.write_text(name, out);
                    out.push(':');
                    out.push_str(self.blanks.1);
                    self.write(value, depth + 1, out);
                }
                self.close(members.is_empty(), depth, out);
                out.push('}');
            }
        }
    }

    fn separate(self, index: usize, depth: usize, out: &mut String) {
        if index > 0 {
            out.push(',');
        }
        match self.indent {
            Some(indent) => {
                out.push('\n');
                out.push_str(&indent.repeat(depth + 1));
            }
            None if index > 0 => out.push_str(self.blanks.0),
            None => {}
        }
    }

    fn close(self, empty: bool, depth: usize, out: &mut String) {
        if let Some(indent) = self.indent.filter(|_| !empty) {
            out.push('\n');
            out.push_str(&indent.repeat(depth));
        }
    }

    fn write_text(self, text: &str, out: &mut String) {
        out.push('"');
        for letter in text.chars() {
            let escaped = match self.letters {
                Letters::Plain => false,
                Letters::Escaped | Letters::EscapedUpper => !letter.is_ascii(),
                Letters::HtmlSafe => matches!(letter, '=' | '&' | '<' | '>' | '\''),
            };
            match letter {
                '"' | '\\' => out.extend(['\\', letter]),
                '/' if self.slashes_escaped => out.push_str("\\/"),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                '\u{8}' => out.push_str("\\b"),
                '\u{C}' => out.push_str("\\f"),
                other if escaped || other < ' ' => {
                    for unit in other.encode_utf16(&mut [0; 2]) {
                        // Writing to a text does not fail.
                        let _ = if self.letters == Letters::EscapedUpper {
                            write!(out, "\\u{unit:04X}")
                        } else {
                            write!(out, "\\u{unit:04x}")
                        };
                    }
                }
                other => out.push(other),
            }
        }
        out.push('"');
    }
}

fn read(text: &str) -> Option<Node> {
    let mut cursor = Cursor { rest: text };
    let node = cursor.node(0)?;
    cursor.blanks();
    cursor.rest.is_empty().then_some(node)
}

struct Cursor<'a> {
    rest: &'a str,
}

impl Cursor<'_> {
    fn blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn takes(&mut self, wanted: char) -> bool {
        self.blanks();
        let after = self.rest.strip_prefix(wanted);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn node(&mut self, depth: u32) -> Option<Node> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.blanks();
        match self.rest.bytes().next()? {
            b'"' => self.text().map(Node::Text),
            b'{' => self.map(depth).map(Node::Map),
            b'[' => self.list(depth).map(Node::List),
            _ => {
                let outside =
                    |letter: char| !letter.is_ascii_alphanumeric() && !"+-.".contains(letter);
                let size = self.rest.find(outside).unwrap_or(self.rest.len());
                let (text, rest) = self.rest.split_at(size);
                self.rest = rest;
                (!text.is_empty()).then(|| Node::Bare(text.to_owned()))
            }
        }
    }

    fn map(&mut self, depth: u32) -> Option<Vec<(String, Node)>> {
        let mut members = Vec::new();
        self.takes('{');
        if self.takes('}') {
            return Some(members);
        }
        loop {
            self.blanks();
            let name = self.text()?;
            if !self.takes(':') {
                return None;
            }
            members.push((name, self.node(depth + 1)?));
            if self.takes('}') {
                return Some(members);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn list(&mut self, depth: u32) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        self.takes('[');
        if self.takes(']') {
            return Some(items);
        }
        loop {
            items.push(self.node(depth + 1)?);
            if self.takes(']') {
                return Some(items);
            }
            if !self.takes(',') {
                return None;
            }
        }
    }

    fn text(&mut self) -> Option<String> {
        let mut letters = self.rest.strip_prefix('"')?.chars();
        let mut units: Vec<u16> = Vec::new();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => units.push(match letters.next()? {
                    'b' => 8,
                    'f' => 12,
                    'n' => 10,
                    'r' => 13,
                    't' => 9,
                    'u' => {
                        let digits = letters.as_str().get(..4)?;
                        letters = letters.as_str().get(4..)?.chars();
                        u16::from_str_radix(digits, 16).ok()?
                    }
                    same @ ('"' | '\\' | '/') => u16::try_from(u32::from(same)).ok()?,
                    _ => return None,
                }),
                letter => units.extend_from_slice(letter.encode_utf16(&mut [0; 2])),
            }
        }
        self.rest = letters.as_str();
        String::from_utf16(&units).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: the usual spellings of one value are each reached from each other.
    #[test]
    fn spellings() {
        let spellings = [
            r#"{"b":"http://x/茶","a":[1,{"c":null}]}"#,
            r#"{"b": "http://x/茶", "a": [1, {"c": null}]}"#,
            r#"{"b":"http:\/\/x\/茶","a":[1,{"c":null}]}"#,
            r#"{"b":"http:\/\/x\/\u8336","a":[1,{"c":null}]}"#,
            r#"{"b":"http://x/\u8336","a":[1,{"c":null}]}"#,
            "{\n  \"b\": \"http://x/茶\",\n  \"a\": [\n    1,\n    {\n      \"c\": null\n    }\n  ]\n}",
        ];
        for one in spellings {
            for other in spellings.iter().filter(|other| **other != one) {
                assert!(
                    forms(one).iter().any(|(form, _)| form == other),
                    "{one} {other}"
                );
            }
            let sorted = r#"{"a":[1,{"c":null}],"b":"http://x/茶"}"#;
            assert!(forms(one).iter().any(|(form, _)| form == sorted));
        }
        let safe = r#"{"a":"x\u003dy\u0026z"}"#;
        assert!(
            forms(r#"{"a":"x=y&z"}"#)
                .iter()
                .any(|(form, _)| form == safe)
        );
    }

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in [
            "",
            "39.30",
            "{",
            "{\"a\":}",
            "{\"a\":1}x",
            "[1,]",
            "{\"a\":\"\\ud83d\"}",
        ] {
            assert!(forms(text).is_empty(), "{text}");
        }
    }
}
