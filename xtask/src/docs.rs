//! House rules for pages in Markdown, and for what a text may say about the machine it was written on.

use crate::tree::{Tree, folder, join};

/// Paths that exist on one machine only.
const MACHINE: &[&str] = &["/home/", "/root/", "/tmp/", "/Users/", "/work/"];

/// Links of a page that lead nowhere, each with its line.
pub(crate) fn dead_links(tree: &Tree, path: &str, text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for (line, prose) in prose(text) {
        for target in targets(&prose) {
            let scheme = target.split_once(':').map_or("", |(scheme, _)| scheme);
            if matches!(scheme, "http" | "https" | "mailto") {
                continue;
            }
            if !leads_somewhere(tree, path, text, &target) {
                problems.push((line, format!("link leads nowhere: {target}")));
            }
        }
    }
    problems
}

fn leads_somewhere(tree: &Tree, path: &str, text: &str, target: &str) -> bool {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    if file.is_empty() {
        return has_anchor(text, anchor);
    }
    if file.starts_with('/') {
        return false;
    }
    let Some(file) = join(folder(path), file) else {
        return false;
    };
    match tree.files.get(&file) {
        Some(page) if file.ends_with(".md") && !anchor.is_empty() => has_anchor(page, anchor),
        _ => tree.has(&file),
    }
}

/// The lines of a page without blocks and spans of code.
fn prose(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block {
            let outside: Vec<&str> = line.split('`').step_by(2).collect();
            found.push((at + 1, outside.join("` `")));
        }
    }
    found
}

/// What `[text](target)` and `[name]: target` point at.
fn targets(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for after in line.split("](").skip(1) {
        let inside = after.split(')').next().unwrap_or_default();
        found.extend(inside.split_whitespace().next().map(str::to_owned));
    }
    if line.starts_with('[')
        && let Some((_, target)) = line.split_once("]: ")
    {
        found.extend(target.split_whitespace().next().map(str::to_owned));
    }
    found
}

/// Headings become anchors: small letters, blanks as dashes, no punctuation; repeats are numbered.
fn has_anchor(page: &str, anchor: &str) -> bool {
    let mut in_block = false;
    let mut slugs = Vec::new();
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
        } else if !in_block && line.starts_with('#') {
            let heading = line.trim_start_matches('#').trim().to_lowercase();
            let kept = heading
                .chars()
                .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
            slugs.push(
                kept.map(|c| if c == ' ' { '-' } else { c })
                    .collect::<String>(),
            );
        }
    }
    let without_number = anchor
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .trim_end_matches('-');
    slugs
        .iter()
        .any(|slug| slug == anchor || slug == without_number)
        || page.contains(&format!("id=\"{anchor}\""))
}

/// Paths of somebody's machine in a text, each with its line.
pub(crate) fn machine_paths(text: &str) -> Vec<(usize, String)> {
    let mut problems = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for path in MACHINE {
            // Part of an address or a longer path is something else.
            let alone = line.match_indices(path).any(|(start, _)| {
                let before = line.get(..start).and_then(|head| head.chars().next_back());
                before.is_none_or(|c| !c.is_alphanumeric() && !"._-~".contains(c))
            });
            if alone {
                problems.push((at + 1, format!("a path of one machine: {path}")));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "# A page\n## Keys & codes\n```\n# not one\n```\n## Again\n## Again\n";

    fn check(text: &str, expected: &[usize]) {
        let files = [("docs/a.md", text), ("docs/b.md", OTHER), ("LICENSE", "")];
        let tree = Tree {
            files: files
                .iter()
                .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
                .collect(),
        };
        let found: Vec<usize> = dead_links(&tree, "docs/a.md", text)
            .iter()
            .map(|(line, _)| *line)
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    /// Links to files, folders, anchors and addresses that exist pass.
    #[test]
    fn living_links_pass() {
        check(
            "[b](b.md) [licence](../LICENSE) [root](..) [docs](../docs \"title\")",
            &[],
        );
        check("[keys](b.md#keys--codes) [twice](b.md#again-1)", &[]);
        check("# Top\n[up](#top)\n[x]: b.md", &[]);
        check(
            "[web](https://example.org/x) [mail](mailto:a@example.org)",
            &[],
        );
        check("```\n[x](nowhere)\n```\n`[x](nowhere)`", &[]);
    }

    /// Links that lead nowhere, or out of the project, are found.
    #[test]
    fn dead_links_fail() {
        check("a\n[c](c.md)", &[2]);
        check("[out](../../b.md) [absolute](/docs/b.md)", &[1, 1]);
        check("[block](b.md#not-one) [here](#gone)", &[1, 1]);
        check("[x]: gone.md", &[1]);
    }

    /// Paths of one machine are found, addresses are not mistaken for them.
    #[test]
    fn machine_paths_fail() {
        assert_eq!(machine_paths("ok\nrun /work/x and `/root/y`").len(), 2);
        assert_eq!(
            machine_paths("https://example.org/work/x ./root/y frame/works"),
            []
        );
    }
}
