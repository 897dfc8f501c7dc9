//! The files of the project, read once.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Folders that hold no sources of ours.
const SKIPPED: &[&str] = &["target", "node_modules", "spotpay-data"];
/// Folders that begin with a dot are skipped, but these are ours.
const DOTTED: &[&str] = &[".cargo", ".ci", ".github"];
/// Files whose text is read; of all others only the name counts.
const READ: &[&str] = &[
    "rs", "toml", "md", "sql", "html", "css", "js", "sh", "yml", "yaml",
];

/// Path from the root, with forward slashes, to text.
pub(crate) struct Tree {
    pub(crate) files: BTreeMap<String, String>,
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// The part of a path before its last slash.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The part of a path after its last dot.
pub(crate) fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Joins a folder and a relative path; `None` when that leaves the project.
pub(crate) fn join(folder: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

impl Tree {
    /// Reads the project from disk.
    pub(crate) fn read() -> Result<Self> {
        let mut tree = Self {
            files: BTreeMap::new(),
        };
        tree.walk(root(), "")?;
        Ok(tree)
    }

    /// Whether the project has this file or folder.
    pub(crate) fn has(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        path.is_empty()
            || self.files.contains_key(path)
            || self
                .files
                .range(inside.clone()..)
                .next()
                .is_some_and(|(next, _)| next.starts_with(&inside))
    }

    /// The files with this extension.
    pub(crate) fn with_extension<'a>(
        &'a self,
        wanted: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.files
            .iter()
            .filter(move |(path, _)| extension(path) == wanted)
            .map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn walk(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let kind = entry.file_type()?;
            let path = format!("{prefix}{name}");
            let ours = !name.starts_with('.') || DOTTED.contains(&name.as_str());
            if kind.is_dir() && ours && !SKIPPED.contains(&name.as_str()) {
                self.walk(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                let readable = READ.contains(&extension(&name)) || prefix == ".ci/";
                let text = match fs::read_to_string(entry.path()) {
                    Ok(text) if readable => text,
                    // Gone meanwhile, or not text at all: only the name counts.
                    _ => String::new(),
                };
                self.files.insert(path, text);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Paths are joined without leaving the project.
    #[test]
    fn paths_are_joined() {
        assert_eq!(join("docs/a", "../b.md").as_deref(), Some("docs/b.md"));
        assert_eq!(join("", "./README.md").as_deref(), Some("README.md"));
        assert_eq!(join("docs", "../../x"), None);
    }

    /// The toolbox finds its own source, and no build output.
    #[test]
    fn the_project_is_read() {
        let tree = Tree::read().expect("the project can be read");
        assert!(tree.has("xtask/src/tree.rs") && tree.has("crates/core"));
        assert!(!tree.has("target") && !tree.has("no/such/file"));
    }
}
