//! Rust source as tokens: just enough of the language to tell names from text.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name or a keyword.
    Name,
    /// A string literal with its quotes, of any sort.
    Text,
    /// A comment with its slashes.
    Comment,
    /// One character of punctuation.
    Mark,
    /// A number, a character or a lifetime.
    Other,
}

/// A piece of source and the line on which it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    pub(crate) text: &'a str,
    pub(crate) line: usize,
}

impl Token<'_> {
    /// Whether this is the given name, keyword or punctuation mark.
    pub(crate) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Name | Kind::Mark) && self.text == text
    }
}

/// Cuts a source into tokens; white space is dropped, comments stay.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next(rest, first);
        let (text, tail) = rest.split_at(length);
        if let Some(kind) = kind {
            found.push(Token { kind, text, line });
        }
        line += text.matches('\n').count();
        rest = tail;
    }
    found
}

fn next(rest: &str, first: char) -> (Option<Kind>, usize) {
    if first.is_whitespace() {
        (None, first.len_utf8())
    } else if rest.starts_with("//") {
        (Some(Kind::Comment), rest.find('\n').unwrap_or(rest.len()))
    } else if rest.starts_with("/*") {
        (Some(Kind::Comment), block_comment(rest))
    } else if let Some(length) = string(rest) {
        (Some(Kind::Text), length)
    } else if first == '\'' {
        (Some(Kind::Other), character_or_lifetime(rest))
    } else if first.is_alphabetic() || first == '_' {
        (Some(Kind::Name), word(rest))
    } else if first.is_ascii_digit() {
        (Some(Kind::Other), word(rest))
    } else {
        (Some(Kind::Mark), first.len_utf8())
    }
}

fn word(rest: &str) -> usize {
    rest.find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(rest.len())
}

/// Block comments nest in Rust.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        let tail = rest.get(at..).unwrap_or_default();
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += tail.chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// The length of a string literal: plain, byte, C or raw.
fn string(rest: &str) -> Option<usize> {
    let body = rest.trim_start_matches(['b', 'c', 'r']);
    let prefix = rest.get(..rest.len() - body.len())?;
    if prefix.len() > 2 {
        return None;
    }
    if !prefix.contains('r') {
        return body
            .starts_with('"')
            .then(|| prefix.len() + quoted(body, '"'));
    }
    let inner = body.trim_start_matches('#');
    let hashes = body.len() - inner.len();
    let inner = inner.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let length = inner.find(&end).map_or(inner.len(), |at| at + end.len());
    Some(rest.len() - inner.len() + length)
}

/// The length of a text between two equal quotes, with backslash escapes.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

fn character_or_lifetime(rest: &str) -> usize {
    let mut after = rest.chars().skip(1);
    match (after.next(), after.next()) {
        (Some('\\'), _) | (Some(_), Some('\'')) => quoted(rest, '\''),
        _ => 1 + word(rest.get(1..).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, kind: Kind, expected: &[&str]) {
        let found: Vec<&str> = tokens(source)
            .iter()
            .filter(|token| token.kind == kind)
            .map(|token| token.text)
            .collect();
        assert_eq!(found, expected, "{source}");
    }

    /// Nothing inside strings, characters and comments counts as a name.
    #[test]
    fn names_are_told_from_text() {
        check("let a = \"b \\\" c\"; d", Kind::Name, &["let", "a", "d"]);
        check("r#\"x \" y\"# z", Kind::Name, &["z"]);
        check("br\"x\" c\"y\" b\"z\" w", Kind::Name, &["w"]);
        check(
            "a // b\nc /* d /* e */ f */ g",
            Kind::Name,
            &["a", "c", "g"],
        );
        check("'x' '\\'' '\"' y", Kind::Name, &["y"]);
        check(
            "fn f<'a>(x: &'a str) 'ü'",
            Kind::Name,
            &["fn", "f", "x", "str"],
        );
        check("f(\"b\", r\"\\\")", Kind::Text, &["\"b\"", "r\"\\\""]);
        check("a /* b */ // c", Kind::Comment, &["/* b */", "// c"]);
    }

    /// Lines are counted through literals and comments of several lines.
    #[test]
    fn lines_are_counted() {
        let lines: Vec<usize> = tokens("a\n\"x\ny\"\n/*\n*/ b")
            .iter()
            .map(|token| token.line)
            .collect();
        assert_eq!(lines, [1, 2, 4, 5]);
    }
}
