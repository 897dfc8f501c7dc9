//! `spotpay files`: the files that the gateway published.

use std::fs::File;
use std::io::{self, Read, Seek as _, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use spotpay_core::time::CivilDate;
use spotpay_server::sandbox::parse_instant;

use crate::merchant::{self, Merchant, Sandbox};
use crate::output::{self, Exit, Failure};

/// Bytes that are copied at once.
const PART_BYTES: usize = 65_536;

/// List the published files, and fetch one
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay files list\n  spotpay files get 2026-11-23 --kind transaction"
)]
pub(crate) struct Files {
    #[command(subcommand)]
    action: Action,
    #[command(flatten)]
    merchant: Merchant,
}

#[derive(Subcommand, Debug)]
enum Action {
    /// List the partner's files; a day without rows has none
    #[command(after_help = "Example:\n  spotpay files list --partner dim-sum --json")]
    List,
    Get(Get),
}

/// Fetch a day's file and check it against its SHA-256
#[derive(Args, Debug)]
#[command(
    after_help = "Example:\n  spotpay files get 2026-11-23 --kind transaction\n  \
    spotpay files get 2026-11-23 --kind settlement --out settled.txt\n\n\
    Exit 1 when there is no such file: the day is not over, it was empty, or nothing is published."
)]
struct Get {
    /// The business date, such as 2026-11-23
    #[arg(value_name = "DATE", value_parser = date)]
    date: CivilDate,
    /// Which of the day's files
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Kind,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Transaction,
    Settlement,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Transaction => "transaction",
            Self::Settlement => "settlement",
        }
    }
}

fn date(text: &str) -> Result<CivilDate, String> {
    CivilDate::parse_dashed(text)
        .or_else(|| CivilDate::parse_compact(text))
        .ok_or_else(|| "a date is like 2026-11-23".to_owned())
}

/// What the sandbox says of a file, or of a day without one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
struct Published {
    name: Option<String>,
    #[serde(default)]
    kind: Option<Kind>,
    date: String,
    #[serde(default)]
    rows: u64,
    #[serde(default)]
    bytes: Option<u64>,
    #[serde(default)]
    sha256: Option<String>,
}

impl Published {
    /// For people.
    fn line(&self) -> String {
        let kind = self.kind.map_or("-", Kind::as_str);
        let (date, rows) = (&self.date, self.rows);
        match (&self.name, self.bytes) {
            (Some(name), bytes) => {
                let bytes = bytes.unwrap_or_default();
                format!("{date}  {kind:11}  {rows:>8} rows  {bytes:>11} bytes  {name}")
            }
            (None, _) => format!("{date}  {kind:11}         0 rows, so no file"),
        }
    }
}

/// A file with all that it takes to fetch it.
#[derive(PartialEq, Eq, Debug)]
struct Wanted {
    name: String,
    sha256: String,
}

/// What there is of a day.
#[derive(PartialEq, Eq, Debug)]
enum Found {
    File(Wanted),
    /// A day without rows.
    Empty,
    Nothing,
}

impl Files {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        self.answer().map_err(|failure| failure.with_json(json))
    }

    fn answer(self) -> Result<Exit, Failure> {
        let json = self.merchant.json;
        if let (Action::Get(Get { out: None, .. }), true) = (&self.action, json) {
            let rule = "--json needs --out FILE: standard output cannot hold an object and a file";
            return Err(Failure::missing(rule));
        }
        let (sandbox, partner) = self.merchant.sandbox_and_name()?;
        let values = sandbox.list(&format!("/files?partner={partner}"))?;
        match self.action {
            Action::List => list(values, json),
            Action::Get(get) => get.fetch(&sandbox, values, json),
        }
    }
}

fn list(values: Vec<Value>, json: bool) -> Result<Exit, Failure> {
    if json {
        output::print_json(&json!({ "files": values }));
        return Ok(Exit::Success);
    }
    for published in read(values)? {
        output::print(&published.line());
    }
    Ok(Exit::Success)
}

fn read(values: Vec<Value>) -> Result<Vec<Published>, Failure> {
    let read: Result<_, serde_json::Error> =
        values.into_iter().map(serde_json::from_value).collect();
    read.map_err(|error| {
        let message = format!("the sandbox's list of files cannot be read: {error}");
        Failure::unknown("unreadable_answer", message)
    })
}

impl Get {
    fn fetch(&self, sandbox: &Sandbox, values: Vec<Value>, json: bool) -> Result<Exit, Failure> {
        let wanted = match self.find(read(values)?)? {
            Found::File(wanted) => wanted,
            Found::Empty => return Err(self.refusal("empty", "had no rows, so there is no file")),
            Found::Nothing => return Err(self.why_nothing(sandbox)?),
        };
        let (url, body) = sandbox.open(&format!("/files/{}", wanted.name))?;
        let local = |error: io::Error| {
            let path = self.out.as_deref().unwrap_or(Path::new("standard output"));
            Failure::usage(
                "--out <FILE>",
                &path.display().to_string(),
                &error.to_string(),
            )
        };
        // Nothing is put in place, or out, before it is known to be right.
        let mut draft = match &self.out {
            Some(path) => Draft::beside(path).map_err(local)?,
            None => Draft::nameless().map_err(local)?,
        };
        let (bytes, sha256) = copy(body, draft.file()).map_err(|error| match error {
            CopyError::Read(error) => Failure::unknown("no_answer", format!("{url}: {error}")),
            CopyError::Write(error) => local(error),
        })?;
        if !sha256.eq_ignore_ascii_case(&wanted.sha256) {
            let message = format!(
                "{} came with SHA-256 {sha256}, and {} was published",
                wanted.name, wanted.sha256
            );
            return Err(Failure::unknown("wrong_sha256", message));
        }
        draft.finish(self.out.as_deref()).map_err(local)?;
        if let Some(path) = &self.out {
            let path = path.display().to_string();
            if json {
                output::print_json(&json!({
                    "name": wanted.name, "out": path, "bytes": bytes, "sha256": sha256
                }));
            } else {
                output::say(&format!("{} is in {path}, {bytes} bytes", wanted.name));
            }
        }
        Ok(Exit::Success)
    }

    fn find(&self, files: Vec<Published>) -> Result<Found, Failure> {
        let day = self.date.to_string();
        let mut found = Found::Nothing;
        for published in files {
            let is_kind = published.kind.is_none_or(|kind| kind == self.kind);
            if published.date != day || !is_kind {
                continue;
            }
            let Some(name) = published.name else {
                found = Found::Empty;
                continue;
            };
            let Some(sha256) = published.sha256.filter(|_| merchant::is_plain(&name)) else {
                let message = format!("the sandbox's list does not tell how to fetch {name:?}");
                return Err(Failure::unknown("unreadable_answer", message));
            };
            return Ok(Found::File(Wanted { name, sha256 }));
        }
        Ok(found)
    }

    fn why_nothing(&self, sandbox: &Sandbox) -> Result<Failure, Failure> {
        let answer = sandbox.fetch("/clock")?;
        let now = answer.get("now").and_then(Value::as_str);
        let Some(now) = now.and_then(parse_instant) else {
            let message = "the sandbox's answer has no time";
            return Err(Failure::unknown("unreadable_answer", message));
        };
        Ok(if self.date >= now.business_date() {
            self.refusal("day_not_over", "is not over")
        } else {
            self.refusal("no_file", "has no file: it is not published, or never was")
        })
    }

    fn refusal(&self, error: &str, why: &str) -> Failure {
        let (day, kind) = (self.date.to_string(), self.kind.as_str());
        Failure::refused(error, &format!("{kind} file of {day}: the day {why}"))
    }
}

/// A file that is not there for others yet.
enum Draft {
    Named(tempfile::NamedTempFile),
    Nameless(File),
}

impl Draft {
    fn beside(path: &Path) -> io::Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        // Like any file that a command writes, under the umask.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        builder.tempfile_in(folder).map(Self::Named)
    }

    fn nameless() -> io::Result<Self> {
        tempfile::tempfile().map(Self::Nameless)
    }

    fn file(&mut self) -> &mut File {
        match self {
            Self::Named(file) => file.as_file_mut(),
            Self::Nameless(file) => file,
        }
    }

    /// In its place, or on standard output.
    fn finish(self, path: Option<&Path>) -> io::Result<()> {
        match (self, path) {
            (Self::Named(file), Some(path)) => {
                file.as_file().sync_all()?;
                file.persist(path).map_err(io::Error::from).map(drop)
            }
            (Self::Nameless(mut file), _) => {
                file.rewind()?;
                let mut out = io::stdout().lock();
                io::copy(&mut file, &mut out)?;
                out.flush()
            }
            (Self::Named(_), None) => Ok(()),
        }
    }
}

/// Which side failed.
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

/// How much it was, and its SHA-256.
fn copy(mut from: impl Read, into: &mut impl Write) -> Result<(u64, String), CopyError> {
    let mut part = vec![0; PART_BYTES];
    let (mut bytes, mut hash) = (0, Sha256::new());
    loop {
        let read = match from.read(&mut part) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(CopyError::Read(error)),
        };
        let part = part.get(..read).unwrap_or_default();
        hash.update(part);
        into.write_all(part).map_err(CopyError::Write)?;
        bytes += u64::try_from(read).unwrap_or_default();
    }
    let digest = hash.finalize();
    let hex = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, hex))
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
