//! House rules for one Rust file.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use crate::lexer::{Kind, Token, tokens};
use crate::words;

/// A file that is longer holds two things.
const FILE_LINES_MAX: usize = 800;
/// A function that is longer does two things.
const FUNCTION_LINES_MAX: usize = 70;
/// Macros that mark unfinished work.
const UNFINISHED: &[&str] = &["todo", "unimplemented", "dbg"];
/// Names under which anything could be put, so everything is.
const DRAWERS: &[&str] = &[
    "common", "helper", "helpers", "models", "shared", "types", "util", "utils",
];

/// What is wrong with a file, each with its line.
pub(crate) fn check(path: &str, source: &str) -> Vec<(usize, String)> {
    let all = tokens(source);
    let (comments, code): (Vec<Token<'_>>, Vec<Token<'_>>) = all
        .into_iter()
        .partition(|token| token.kind == Kind::Comment);
    let mut problems = Vec::new();
    file_length(source, &mut problems);
    function_lengths(path, &code, &mut problems);
    attributes(&code, &mut problems);
    macros(&code, &mut problems);
    names(path, &code, &mut problems);
    for comment in comments {
        remark(comment, &mut problems);
    }
    if source.contains('\t') {
        problems.push((1, "has tabs".to_owned()));
    }
    problems
}

/// Whether a module or crate may not be called this.
pub(crate) fn is_drawer(name: &str) -> bool {
    DRAWERS.contains(&name)
}

fn file_length(source: &str, problems: &mut Vec<(usize, String)>) {
    let lines = source.lines().count();
    let generated = source
        .lines()
        .next()
        .is_some_and(|first| first.contains("@generated"));
    if lines > FILE_LINES_MAX && !generated {
        problems.push((
            1,
            format!("{lines} lines, at most {FILE_LINES_MAX}: split the file"),
        ));
    }
}

fn function_lengths(path: &str, code: &[Token<'_>], problems: &mut Vec<(usize, String)>) {
    if path.contains("/tests/") || path.contains("/benches/") || path.ends_with("tests.rs") {
        return;
    }
    let tests = test_modules(code);
    for (at, pair) in code.windows(2).enumerate() {
        let [keyword, name] = pair else { continue };
        if !keyword.is("fn") || name.kind != Kind::Name {
            continue;
        }
        let Some(open) = body(code, at) else { continue };
        let lines = last_line(code, open) + 1 - keyword.line;
        let in_tests = tests.iter().any(|range| range.contains(&keyword.line));
        if lines > FUNCTION_LINES_MAX && !in_tests {
            let text = format!(
                "`{}` has {lines} lines, at most {FUNCTION_LINES_MAX}",
                name.text
            );
            problems.push((keyword.line, text));
        }
    }
}

/// The opening brace of the item that starts here; `None` when it ends in a semicolon.
fn body(code: &[Token<'_>], start: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(start) {
        if token.is("(") || token.is("[") {
            depth += 1;
        } else if token.is(")") || token.is("]") {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && token.is("{") {
            return Some(at);
        } else if depth == 0 && token.is(";") {
            return None;
        }
    }
    None
}

/// The place of the bracket that closes the one that stands here.
fn closing(code: &[Token<'_>], open: usize) -> usize {
    let pair = match code.get(open).map(|token| token.text) {
        Some("[") => ("[", "]"),
        _ => ("{", "}"),
    };
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate().skip(open) {
        if token.is(pair.0) {
            depth += 1;
        } else if token.is(pair.1) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    code.len()
}

fn last_line(code: &[Token<'_>], open: usize) -> usize {
    code.get(closing(code, open))
        .or(code.last())
        .map_or(0, |token| token.line)
}

/// The lines of everything that stands under `#[cfg(test)]`.
fn test_modules(code: &[Token<'_>]) -> Vec<RangeInclusive<usize>> {
    let cfg_test = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut found = Vec::new();
    for (at, window) in code.windows(cfg_test.len()).enumerate() {
        let starts = window
            .iter()
            .zip(cfg_test)
            .all(|(token, text)| token.is(text));
        if starts
            && let (Some(first), Some(open)) = (window.first(), body(code, at + cfg_test.len()))
        {
            found.push(first.line..=last_line(code, open));
        }
    }
    found
}

fn attributes(code: &[Token<'_>], problems: &mut Vec<(usize, String)>) {
    for (at, hash) in code.iter().enumerate().filter(|(_, token)| token.is("#")) {
        let inner = code.get(at + 1).is_some_and(|token| token.is("!"));
        let open = at + 1 + usize::from(inner);
        if !code.get(open).is_some_and(|token| token.is("[")) {
            continue;
        }
        let inside = code.get(open + 1..closing(code, open)).unwrap_or_default();
        let has = |text: &str| inside.iter().any(|token| token.is(text));
        let Some(first) = inside.first() else {
            continue;
        };
        let conditional = first.is("cfg_attr");
        for refused in ["ignore", "should_panic"] {
            if first.is(refused) || (conditional && has(refused)) {
                let text = format!("#[{refused}]: assert what happens, as it is, with a note");
                problems.push((hash.line, text));
            }
        }
        let silences = ["allow", "expect"]
            .iter()
            .any(|it| first.is(it) || (conditional && has(it)));
        if silences && !has("reason") {
            let text = "silences a lint without a reason: #[expect(lint, reason = \"...\")]";
            problems.push((hash.line, text.to_owned()));
        }
    }
}

fn macros(code: &[Token<'_>], problems: &mut Vec<(usize, String)>) {
    for window in code.windows(5) {
        let [name, mark, open, first, second] = window else {
            continue;
        };
        let opens = open.is("(") || open.is("[") || open.is("{");
        if name.kind != Kind::Name || !mark.is("!") || !opens {
            continue;
        }
        if UNFINISHED.contains(&name.text) {
            problems.push((name.line, format!("`{}!` is left over", name.text)));
        }
        if name.is("select") && !(first.is("biased") && second.is(";")) {
            let text = "`select!` without `biased;`: the order must not be drawn by lot";
            problems.push((name.line, text.to_owned()));
        }
    }
}

fn names(path: &str, code: &[Token<'_>], problems: &mut Vec<(usize, String)>) {
    // A name is a problem where it first stands; renaming it mends the others.
    let mut seen = BTreeSet::new();
    for token in code
        .iter()
        .filter(|token| token.kind == Kind::Name && seen.insert(token.text))
    {
        problems.extend(words::complaint(path, token.text).map(|text| (token.line, text)));
    }
    for pair in code.windows(2) {
        let [keyword, name] = pair else { continue };
        if keyword.is("fn") && name.text.starts_with("get_") {
            problems.push((name.line, format!("`{}`: leave the get_ away", name.text)));
        }
        if keyword.is("mod") && is_drawer(name.text) {
            problems.push((
                name.line,
                format!("`mod {}`: name what is inside", name.text),
            ));
        }
    }
}

fn remark(comment: Token<'_>, problems: &mut Vec<(usize, String)>) {
    for (offset, text) in comment.text.lines().enumerate() {
        let line = comment.line + offset;
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        if let Some(word) = words.find(|word| ["FIXME", "XXX"].contains(word)) {
            problems.push((line, format!("{word} is left over")));
        }
        if let Some((_, language)) = text.split_once("```")
            && (language.contains("ignore") || language.contains("should_panic"))
        {
            problems.push((line, "an example that is not run, or must panic".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each expected text must be part of the problem at its place, and there are no others.
    fn check_in(path: &str, source: &str, expected: &[(usize, &str)]) {
        let found = check(path, source);
        let same = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, want)| found.0 == want.0 && found.1.contains(want.1));
        assert!(same, "{source}\nfound {found:?}\nexpected {expected:?}");
    }

    fn check_source(source: &str, expected: &[(usize, &str)]) {
        check_in("crates/core/src/a.rs", source, expected);
    }

    /// Long files fail, generated ones do not.
    #[test]
    fn file_length_is_bounded() {
        check_source(&"\n".repeat(800), &[]);
        check_source(&"\n".repeat(801), &[(1, "801 lines")]);
        check_source(&format!("// @generated\n{}", "\n".repeat(900)), &[]);
    }

    /// Long functions fail, except in tests.
    #[test]
    fn function_length_is_bounded() {
        let long = |lines: usize| {
            format!(
                "fn f(a: [u8; 4]) -> u8 {{\n{}}}\nfn g() {{}}\n",
                "{ }\n".repeat(lines - 2)
            )
        };
        check_source(&long(70), &[]);
        check_source(&long(71), &[(1, "`f` has 71 lines")]);
        check_source(
            &format!("trait T {{ fn h(); }}\n{}", long(71)),
            &[(2, "`f`")],
        );
        check_source(&format!("#[cfg(test)]\nmod tests {{\n{}}}", long(71)), &[]);
        check_in("crates/core/tests/a.rs", &long(71), &[]);
        check_in("crates/core/src/a_tests.rs", &long(71), &[]);
    }

    /// Tests run and do not expect panics; lints are silenced with a reason.
    #[test]
    fn attributes_are_judged() {
        check_source("#[test]\n#[ignore]\nfn f() {}", &[(2, "#[ignore]")]);
        check_source("#[ignore = \"slow\"] fn f() {}", &[(1, "#[ignore]")]);
        check_source(
            "#[cfg_attr(windows, ignore)] fn f() {}",
            &[(1, "#[ignore]")],
        );
        check_source(
            "#[should_panic(expected = \"x\")] fn f() {}",
            &[(1, "#[should_panic]")],
        );
        check_source("#[allow(dead_code)] fn f() {}", &[(1, "without a reason")]);
        check_source("#![expect(dead_code)]", &[(1, "without a reason")]);
        check_source(
            "#[cfg_attr(test, allow(dead_code))] fn f() {}",
            &[(1, "without a reason")],
        );
        check_source("#[expect(dead_code, reason = \"x\")] fn f() {}", &[]);
        check_source(
            "#[serde(skip)] fn ignore() { x.expect(\"#[ignore]\") }",
            &[],
        );
    }

    /// Unfinished work is found in macros and comments, not in strings.
    #[test]
    fn leftovers_are_found() {
        check_source("fn f() { todo!() }", &[(1, "`todo!`")]);
        check_source(
            "fn f() { unimplemented!(\"x\") }",
            &[(1, "`unimplemented!`")],
        );
        check_source("fn f() { dbg!(x); }", &[(1, "`dbg!`")]);
        check_source("fn f() -> bool { todo != (dbg) }", &[]);
        check_source(
            "// a\n// FIXME: b\n/* c\n XXX */",
            &[(2, "FIXME"), (4, "XXX")],
        );
        check_source("const A: &str = \"FIXME todo!() XXX\"; // XXXL", &[]);
        check_source(
            "/// ```ignore\n/// x\n/// ```\nfn f() {}",
            &[(1, "not run")],
        );
        check_source("fn f() {\n\tg();\n}", &[(1, "tabs")]);
    }

    /// A `select!` says in which order it looks.
    #[test]
    fn select_is_biased() {
        check_source("select! { a = b => {} }", &[(1, "biased")]);
        check_source("tokio::select! {\n biased;\n a = b => {} }", &[]);
    }

    /// Names keep to the glossary.
    #[test]
    fn names_are_judged() {
        check_source("struct Posting;", &[(1, "say entry")]);
        check_source("fn f(txn: u8) -> u8 { txn + txn }", &[(1, "`txn`")]);
        check_source("const A: &str = \"webhook\"; // posting", &[]);
        check_source("fn get_name() {}", &[(1, "get_")]);
        check_source("fn f() { map.get_mut(x) }", &[]);
        check_source("mod util;", &[(1, "name what is inside")]);
        check_source("use foreign::types; mod money;", &[]);
    }
}
