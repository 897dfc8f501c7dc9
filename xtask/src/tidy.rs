//! House rules that no compiler knows, over the whole project.

use std::collections::BTreeSet;

use anyhow::{Result, bail};

use crate::docs;
use crate::lexer::{Kind, Token, tokens};
use crate::rust;
use crate::tree::{Tree, extension, folder, join};
use crate::words;

/// Files in which stray blanks are ours to remove.
const TRIMMED: &[&str] = &[
    "rs", "toml", "md", "sql", "html", "css", "js", "sh", "yml", "yaml",
];
/// Folders of recorded bytes, which stay as they came.
const RECORDED: &[&str] = &["golden", "snapshots", "vectors", "corpus"];

/// Checks the project as it is on disk.
pub(crate) fn run() -> Result<()> {
    let problems = check(&Tree::read()?);
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}\n{} found by tidy", problems.join("\n"), problems.len())
}

/// Every problem as `path:line: text`, in the order of paths.
fn check(tree: &Tree) -> Vec<String> {
    let mut problems = Vec::new();
    for (path, text) in &tree.files {
        let mut found = match extension(path) {
            "rs" => rust::check(path, text),
            "sql" => sql(path, text),
            "md" => docs::dead_links(tree, path, text),
            "toml" => manifest(path, text),
            _ => Vec::new(),
        };
        found.extend(docs::machine_paths(&prose(path, text)));
        found.extend(blanks(path, text));
        found.sort();
        problems.extend(
            found
                .iter()
                .map(|(line, text)| format!("{path}:{line}: {text}")),
        );
    }
    problems.extend(orphans(tree));
    problems.extend(lonely_migrations(tree));
    problems
}

/// The part of a file that speaks to people: of Rust only the comments, on their lines.
fn prose(path: &str, text: &str) -> String {
    if extension(path) != "rs" {
        return text.to_owned();
    }
    let mut lines = vec![""; text.lines().count()];
    for comment in tokens(text)
        .iter()
        .filter(|token| token.kind == Kind::Comment)
    {
        for (offset, line) in comment.text.lines().enumerate() {
            if let Some(place) = lines.get_mut(comment.line - 1 + offset) {
                *place = line;
            }
        }
    }
    lines.join("\n")
}

fn sql(path: &str, text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for (line, name) in words::sql_names(text) {
        problems.extend(words::complaint(path, name).map(|text| (line, text)));
        if name.eq_ignore_ascii_case("boolean") || name.eq_ignore_ascii_case("bool") {
            problems.push((line, "a boolean column: use a state".to_owned()));
        }
    }
    problems
}

/// A crate of ours is named for what it holds and takes the lints of the workspace.
fn manifest(path: &str, text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    if !text.lines().any(|line| line == "[package]") || path.starts_with("fuzz/") {
        return problems;
    }
    let name = folder(path).rsplit('/').next().unwrap_or_default();
    if rust::is_drawer(name) {
        problems.push((1, format!("crate `{name}`: name what is inside")));
    }
    // disk has unsafe code, which the workspace forbids; its own table says the rest again.
    let is_disk = path == "crates/disk/Cargo.toml" && text.contains("unsafe_code = \"deny\"");
    if !text.contains("[lints]\nworkspace = true") && !is_disk {
        problems.push((1, "takes no lints: [lints] workspace = true".to_owned()));
    }
    problems
}

fn blanks(path: &str, text: &str) -> Vec<(usize, String)> {
    let recorded = path.split('/').any(|part| RECORDED.contains(&part));
    let ours = TRIMMED.contains(&extension(path)) || path.starts_with(".ci/");
    let mut problems = Vec::new();
    if recorded || !ours || text.is_empty() {
        return problems;
    }
    for (at, line) in text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            problems.push((at + 1, "ends in blanks".to_owned()));
        }
    }
    if !text.ends_with('\n') {
        problems.push((
            text.lines().count(),
            "does not end in a new line".to_owned(),
        ));
    }
    problems
}

/// Files under `src` that no `mod` leads to: the compiler never sees them.
fn orphans(tree: &Tree) -> Vec<String> {
    let mut reached = BTreeSet::new();
    let mut sources = Vec::new();
    for (path, text) in tree
        .with_extension("toml")
        .filter(|(path, _)| path.ends_with("/Cargo.toml"))
    {
        let package = folder(path);
        let source = format!("{package}/src");
        for root in ["lib.rs", "main.rs"] {
            reach(tree, &format!("{source}/{root}"), &source, &mut reached);
        }
        let bin = format!("{source}/bin/");
        for (path, _) in tree
            .with_extension("rs")
            .filter(|(path, _)| path.starts_with(&bin))
        {
            if folder(path) == bin.trim_end_matches('/') || path.ends_with("/main.rs") {
                reach(tree, path, folder(path), &mut reached);
            }
        }
        for path in named_files(text, package) {
            reach(tree, &path, folder(&path), &mut reached);
        }
        sources.push(format!("{source}/"));
    }
    tree.with_extension("rs")
        .filter(|(path, _)| sources.iter().any(|source| path.starts_with(source)))
        .filter(|(path, _)| !reached.contains(*path))
        .map(|(path, _)| format!("{path}:1: no `mod` leads to this file"))
        .collect()
}

/// Follows the modules of a file whose children live in `home`.
fn reach(tree: &Tree, path: &str, home: &str, reached: &mut BTreeSet<String>) {
    let Some(text) = tree.files.get(path) else {
        return;
    };
    if !reached.insert(path.to_owned()) {
        return;
    }
    let code: Vec<Token<'_>> = tokens(text)
        .into_iter()
        .filter(|token| token.kind != Kind::Comment)
        .collect();
    // The modules written out in this file that are open here, with the depth of their braces.
    let mut open: Vec<(&str, usize)> = Vec::new();
    let mut depth = 0_usize;
    for (at, token) in code.iter().enumerate() {
        if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth = depth.saturating_sub(1);
            open.retain(|(_, inside)| *inside <= depth);
        } else if token.is("mod")
            && let (Some(name), Some(mark)) = (code.get(at + 1), code.get(at + 2))
        {
            if mark.is("{") {
                open.push((name.text, depth + 1));
            } else if mark.is(";") {
                let nest: String = open.iter().map(|(name, _)| format!("/{name}")).collect();
                let inside = format!("{home}{nest}/{}", name.text);
                reach(tree, &format!("{inside}.rs"), &inside, reached);
                reach(tree, &format!("{inside}/mod.rs"), &inside, reached);
            }
        }
    }
    for path in named_files(text, folder(path)) {
        reach(tree, &path, folder(&path), reached);
    }
}

/// Rust files named in strings: `#[path = ".."]`, `include!("..")`, `path = ".."`.
fn named_files(text: &str, folder: &str) -> Vec<String> {
    tokens(text)
        .iter()
        .filter(|token| token.kind == Kind::Text)
        .map(|token| token.text.trim_matches('"'))
        .filter(|name| name.ends_with(".rs"))
        .filter_map(|name| join(folder, name))
        .collect()
}

/// Every migration exists in both dialects, as soon as there are two.
fn lonely_migrations(tree: &Tree) -> Vec<String> {
    let of = |dialect: &str| -> BTreeSet<&str> {
        let part = format!("/{dialect}/");
        tree.with_extension("sql")
            .map(|(path, _)| path)
            .filter(|path| path.starts_with("crates/store/") && path.contains("migrations/"))
            .filter(|path| path.contains(&part))
            .filter_map(|path| path.rsplit('/').next())
            .collect()
    };
    let has_postgres = tree.files.keys().any(|path| {
        path.starts_with("crates/store/") && path.split('/').any(|part| part == "postgres")
    });
    if !has_postgres {
        return Vec::new();
    }
    let (sqlite, postgres) = (of("sqlite"), of("postgres"));
    let only_sqlite = sqlite.difference(&postgres).map(|name| (name, "postgres"));
    let only_postgres = postgres.difference(&sqlite).map(|name| (name, "sqlite"));
    only_sqlite
        .chain(only_postgres)
        .map(|(name, dialect)| format!("crates/store: migration {name} is missing for {dialect}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = "[package]\n[lints]\nworkspace = true\n";

    /// The files are the whole project; each expected text starts one problem.
    fn check_files(files: &[(&str, &str)], expected: &[&str]) {
        let tree = Tree {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        };
        let found = check(&tree);
        let same = found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(found, want)| found.starts_with(want));
        assert!(same, "{files:?}\nfound {found:?}\nexpected {expected:?}");
    }

    /// Blanks, tabs and new lines at the end; recorded bytes stay as they are.
    #[test]
    fn blanks_are_found() {
        check_files(
            &[("a.md", "a \nb")],
            &["a.md:1: ends in blanks", "a.md:2: does not end"],
        );
        check_files(&[("a.rs", "fn f() {\n\tg();\n}\n")], &["a.rs:1: has tabs"]);
        check_files(&[("docs/golden/a.md", "a \nb"), ("a.txt", "a ")], &[]);
    }

    /// Problems of one file come with their path and line.
    #[test]
    fn files_are_checked() {
        check_files(&[("a.rs", "\nfn f() { todo!() }\n")], &["a.rs:2: `todo!`"]);
        check_files(&[("a.md", "[x](y.md)\n")], &["a.md:1: link"]);
        check_files(&[("a.md", "in /work/x\n")], &["a.md:1: a path"]);
        check_files(&[("a.rs", "// a\n// in /work/x\n")], &["a.rs:2: a path"]);
        check_files(&[("a.rs", "const A: &str = \"/work/x\";\n")], &[]);
        check_files(
            &[("a.sql", "CREATE TABLE postings (a INT);\n")],
            &["a.sql:1: `postings`"],
        );
        check_files(
            &[("a.sql", "-- bool\nx BOOLEAN\n")],
            &["a.sql:2: a boolean"],
        );
    }

    /// Crates take the lints, and are no drawers.
    #[test]
    fn manifests_are_checked() {
        check_files(&[("crates/core/Cargo.toml", MANIFEST)], &[]);
        check_files(
            &[("crates/core/Cargo.toml", "[package]\n")],
            &["crates/core/Cargo.toml:1: takes no"],
        );
        check_files(
            &[("crates/util/Cargo.toml", MANIFEST)],
            &["crates/util/Cargo.toml:1: crate `util`"],
        );
        check_files(&[("Cargo.toml", "[workspace]\n")], &[]);
    }

    /// Every way to reach a module counts, and what none reaches is found.
    #[test]
    fn orphans_are_found() {
        let lib = "mod a;\nmod b { mod c; }\n#[path = \"odd/d.rs\"]\nmod d;\n";
        let files = [
            ("x/Cargo.toml", MANIFEST),
            ("x/src/lib.rs", lib),
            ("x/src/a.rs", "mod deep;\n"),
            ("x/src/a/deep.rs", ""),
            ("x/src/b/c/mod.rs", ""),
            ("x/src/odd/d.rs", "// mod lost;\n"),
            ("x/src/bin/tool.rs", ""),
            ("x/tests/whole.rs", ""),
        ];
        check_files(&files, &[]);
        let lost = [&files[..], &[("x/src/odd/lost.rs", "")]].concat();
        check_files(&lost, &["x/src/odd/lost.rs:1: no `mod`"]);
        let moved = [&files[..], &[("x/src/c.rs", "")]].concat();
        check_files(&moved, &["x/src/c.rs:1: no `mod`"]);
    }

    /// One dialect alone is fine; with two, each migration needs its twin.
    #[test]
    fn migrations_come_in_pairs() {
        let one = ("crates/store/migrations/sqlite/0001_first.sql", "");
        let twin = ("crates/store/migrations/postgres/0001_first.sql", "");
        let second = ("crates/store/migrations/postgres/0002_second.sql", "");
        check_files(&[one], &[]);
        check_files(&[one, twin], &[]);
        check_files(
            &[one, twin, second],
            &["crates/store: migration 0002_second.sql is missing for sqlite"],
        );
        check_files(
            &[one, second],
            &[
                "crates/store: migration 0001_first.sql",
                "crates/store: migration 0002",
            ],
        );
    }
}
