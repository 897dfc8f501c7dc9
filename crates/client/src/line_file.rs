//! A file of lines that only grows: a line is there for good, or cut off and made up for.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

#[derive(Debug)]
pub(crate) struct LineFile {
    pub(crate) file: File,
    /// The last line has no end, so the next one begins with one.
    torn: bool,
}

impl LineFile {
    /// Makes it when it is not there.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let existed = path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).append(true).create(true).open(path)?;
        if !existed {
            sync_folder(path)?;
        }
        Ok(Self { file, torn: false })
    }

    pub(crate) fn length(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// All of it; whoever only adds calls [`Self::look_at_end`] instead.
    pub(crate) fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        self.torn = bytes.last().is_some_and(|last| *last != b'\n');
        Ok(bytes)
    }

    pub(crate) fn look_at_end(&mut self) -> io::Result<()> {
        self.torn = false;
        if self.length()? > 0 {
            let mut last = [0];
            self.file.seek(SeekFrom::End(-1))?;
            self.file.read_exact(&mut last)?;
            self.torn = last != *b"\n";
        }
        Ok(())
    }

    /// Adds a line, which has no end yet; when this returns, a power failure does not lose it.
    pub(crate) fn add(&mut self, line: &[u8]) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(line.len() + 2);
        if self.torn {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
        bytes.push(b'\n');
        // A write that fails may leave a part of the line.
        self.torn = true;
        self.file.write_all(&bytes)?;
        self.file.sync_data()?;
        self.torn = false;
        Ok(())
    }

    pub(crate) fn empty(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.sync_all()?;
        self.torn = false;
        Ok(())
    }
}

/// A new file is only there for good when its folder says so.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
