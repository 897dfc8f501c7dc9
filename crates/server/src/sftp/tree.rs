//! The folders that a partner sees: `/`, in it `/download`, in that its own files. Paths are text;
//! none of them is ever given to the file system.

/// What a path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// `/`.
    Root,
    /// `/download`.
    Download,
    /// Something in it, which may not be there.
    File(&'a str),
    /// Nothing that ever is there.
    Nowhere,
}

/// The one folder.
pub(super) const DOWNLOAD: &str = "download";

/// The path without dots and doubled slashes, from the root on; nothing is above the root.
pub(super) fn canonical(path: &str) -> String {
    let parts = parts(path);
    if parts.is_empty() {
        return "/".to_owned();
    }
    parts
        .iter()
        .fold(String::new(), |path, part| path + "/" + part)
}

fn parts(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts
}

/// What a path names.
pub(super) fn place(path: &str) -> Place<'_> {
    match *parts(path) {
        [] => Place::Root,
        [DOWNLOAD] => Place::Download,
        [DOWNLOAD, name] => Place::File(name),
        [_, ..] => Place::Nowhere,
    }
}

/// Whether a name can be shown: it is one part of a path, and in one line.
pub(super) fn is_plain(name: &str) -> bool {
    let odd = |letter: char| letter.is_control() || letter == '/' || letter == '\\';
    !name.is_empty() && !name.starts_with('.') && !name.contains(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: every way to write a path leads to one of four places.
    #[test]
    fn paths() {
        for (path, clean, expected) in [
            ("", "/", Place::Root),
            (".", "/", Place::Root),
            ("/", "/", Place::Root),
            ("//", "/", Place::Root),
            ("..", "/", Place::Root),
            ("../../..", "/", Place::Root),
            ("download", "/download", Place::Download),
            ("/download/", "/download", Place::Download),
            ("/download/.", "/download", Place::Download),
            ("/download/..", "/", Place::Root),
            ("/download/a.txt", "/download/a.txt", Place::File("a.txt")),
            ("//download//a.txt", "/download/a.txt", Place::File("a.txt")),
            (
                "/../download/./a.txt",
                "/download/a.txt",
                Place::File("a.txt"),
            ),
            ("/Download", "/Download", Place::Nowhere),
            ("/download/a/b", "/download/a/b", Place::Nowhere),
            ("/download/../etc/passwd", "/etc/passwd", Place::Nowhere),
            ("../../etc/passwd", "/etc/passwd", Place::Nowhere),
            ("/download/..\\x", "/download/..\\x", Place::File("..\\x")),
        ] {
            assert_eq!(canonical(path), clean, "{path}");
            assert_eq!(place(path), expected, "{path}");
        }
    }

    #[test]
    fn names() {
        for (name, plain) in [
            ("2088621900000101_transaction_20261123.txt", true),
            ("", false),
            (".", false),
            ("..", false),
            (".hidden", false),
            ("a/b", false),
            ("a\\b", false),
            ("a\nb", false),
        ] {
            assert_eq!(is_plain(name), plain, "{name:?}");
        }
    }
}
