//! What was found, for people and for programs.

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Seek as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use spotpay_core::money::Money;
use spotpay_core::reconcile::{Break, BreakKind, Kind};
use spotpay_core::time::Timestamp;

use crate::output;

/// Breaks that people are shown; `--json` and `--csv` have all.
const SHOWN_MAX: usize = 50;

/// One break as it is told: names and order are fixed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub(super) struct Told {
    pub(super) kind: String,
    pub(super) id: String,
    /// Our value of what differs: an amount, a currency, a state, a fee or a settlement.
    pub(super) ours: Option<String>,
    /// Theirs.
    pub(super) theirs: Option<String>,
    #[serde(rename = "type")]
    pub(super) about: String,
    pub(super) currency: String,
    pub(super) time: Option<String>,
    /// The line of the order.
    pub(super) order_line: Option<u64>,
    /// The file of the row, as it was given.
    pub(super) file: Option<String>,
    /// The line of the row.
    pub(super) file_line: Option<u64>,
}

/// The breaks of a run: counted, and kept in memory or, when there are very many, in a file.
#[derive(Debug)]
pub(super) struct Breaks {
    orders: PathBuf,
    files: Vec<PathBuf>,
    counts: [u64; BreakKind::ALL.len()],
    kept: Vec<Told>,
    kept_max: usize,
    temp: PathBuf,
    spooled: Option<BufWriter<File>>,
    /// The first thing that went wrong with the file.
    error: Option<std::io::Error>,
}

const fn type_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Payment => "PAYMENT",
        Kind::Refund => "REFUND",
        Kind::Cancel => "CANCEL",
    }
}

impl Told {
    fn of(found: &Break<'_>, files: &[PathBuf]) -> Self {
        let (order, row) = (found.order, found.row);
        let amounts = (
            order.map(|order| order.amount.major()),
            row.map(|row| row.amount.major()),
        );
        let currency = |money: Money| money.currency().code().to_owned();
        let expected = found.expected.map(Money::major);
        let (ours, theirs) = match found.kind {
            BreakKind::MissingHere
            | BreakKind::MissingThere
            | BreakKind::Amount
            | BreakKind::Duplicate => amounts,
            BreakKind::Currency => (
                order.map(|order| currency(order.amount)),
                row.map(|row| currency(row.amount)),
            ),
            BreakKind::State => (
                order.map(|order| order.state.to_owned()),
                row.map(|row| type_word(row.kind).to_owned()),
            ),
            BreakKind::Commission => (expected, row.and_then(|row| row.fee).map(Money::major)),
            BreakKind::SettledShort => {
                let settlement = row.and_then(|row| row.settlement);
                (expected, settlement.map(Money::major))
            }
        };
        let about = order.map(|order| order.kind).or(row.map(|row| row.kind));
        let money = order.map(|it| it.amount).or(row.map(|row| row.amount));
        let id = order.map(|order| order.id).or(row.map(|row| row.id));
        let order_time = order
            .map(|order| order.time)
            .filter(|time| !time.is_empty());
        let row_time = || row.and_then(|row| row.at).map(Timestamp::spaced);
        Self {
            kind: found.kind.as_str().to_owned(),
            id: id.unwrap_or_default().to_owned(),
            ours,
            theirs,
            about: about.map(type_word).unwrap_or_default().to_owned(),
            currency: money.map(currency).unwrap_or_default(),
            time: order_time.map(str::to_owned).or_else(row_time),
            order_line: order.map(|order| order.line),
            file: row
                .and_then(|row| files.get(usize::from(row.file)))
                .map(|path| path.display().to_string()),
            file_line: row.map(|row| row.line),
        }
    }

    /// Where to look.
    fn place(&self, orders: &Path) -> String {
        let place = |path: &Path, line: u64| {
            let name = path.file_name().unwrap_or(path.as_os_str());
            format!("{}:{line}", name.to_string_lossy())
        };
        let order = self.order_line.map(|line| place(orders, line));
        let row = self.file.as_deref().zip(self.file_line);
        let row = row.map(|(file, line)| place(Path::new(file), line));
        let both: Vec<String> = order.into_iter().chain(row).collect();
        both.join(" ")
    }

    fn csv(&self) -> [&str; 8] {
        [
            &self.kind,
            &self.id,
            self.ours.as_deref().unwrap_or_default(),
            self.theirs.as_deref().unwrap_or_default(),
            &self.about,
            &self.currency,
            self.time.as_deref().unwrap_or_default(),
            self.file.as_deref().unwrap_or_default(),
        ]
    }

    /// The order in which breaks are told, as long as they fit into memory.
    fn rank(&self) -> (Option<u64>, Option<&str>, Option<u64>, &str) {
        let file = self.file.as_deref();
        (self.order_line, file, self.file_line, &self.kind)
    }
}

impl Breaks {
    pub(super) fn new(orders: &Path, files: &[PathBuf], kept_max: usize, temp: &Path) -> Self {
        Self {
            orders: orders.to_owned(),
            files: files.to_owned(),
            counts: [0; BreakKind::ALL.len()],
            kept: Vec::new(),
            kept_max,
            temp: temp.to_owned(),
            spooled: None,
            error: None,
        }
    }

    pub(super) fn add(&mut self, found: &Break<'_>) {
        let mut counts = self.counts.iter_mut().zip(BreakKind::ALL);
        if let Some((count, _)) = counts.find(|(_, kind)| *kind == found.kind) {
            *count += 1;
        }
        self.kept.push(Told::of(found, &self.files));
        if self.kept.len() >= self.kept_max
            && self.error.is_none()
            && let Err(error) = self.spool()
        {
            self.error = Some(error);
        }
    }

    /// Moves what is kept to the file.
    fn spool(&mut self) -> std::io::Result<()> {
        let file = match self.spooled.take() {
            Some(file) => file,
            None => BufWriter::new(tempfile::tempfile_in(&self.temp)?),
        };
        let file = self.spooled.insert(file);
        for told in self.kept.drain(..) {
            serde_json::to_writer(&mut *file, &told)?;
            file.write_all(b"\n")?;
        }
        Ok(())
    }

    /// The end: what is in memory is sorted by where it stands.
    pub(super) fn finish(&mut self) -> std::io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.spooled.is_some() {
            self.spool()?;
            return self.spooled.as_mut().map_or(Ok(()), Write::flush);
        }
        self.kept
            .sort_by(|one, other| one.rank().cmp(&other.rank()));
        Ok(())
    }

    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How many of each kind there are, of the kinds that there are.
    pub(super) fn by_kind(&self) -> Vec<(&'static str, u64)> {
        let all = BreakKind::ALL.into_iter().zip(self.counts);
        all.filter(|(_, count)| *count > 0)
            .map(|(kind, count)| (kind.as_str(), count))
            .collect()
    }

    /// Goes through all of them.
    pub(super) fn each(
        &mut self,
        mut tell: impl FnMut(&Told) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let Some(file) = &mut self.spooled else {
            return self.kept.iter().try_for_each(tell);
        };
        let file = file.get_mut();
        file.rewind()?;
        for line in BufReader::new(file).lines() {
            tell(&serde_json::from_str(&line?)?)?;
        }
        Ok(())
    }

    /// Says it all, in the ways that were asked for.
    pub(super) fn report(
        mut self,
        matched: u64,
        json: bool,
        csv: Option<&Path>,
    ) -> anyhow::Result<()> {
        if let Some(path) = csv {
            self.write_csv(path)
                .with_context(|| format!("{} cannot be written", path.display()))?;
        }
        let mut out = BufWriter::new(std::io::stdout().lock());
        let written = if json {
            self.write_json(matched, &mut out)
        } else {
            self.write_table(matched, &mut out)
        };
        // Nobody is left to hear of it when the other end is gone.
        if let Err(error) = written.and_then(|()| Ok(out.flush()?)) {
            output::say(&format!("error: {error}"));
        }
        Ok(())
    }

    fn write_csv(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_path(path)?;
        writer.write_record([
            "kind",
            "id",
            "ours",
            "theirs",
            "type",
            "currency",
            "time",
            "file",
            "file_line",
            "order_line",
        ])?;
        let number = |number: Option<u64>| number.map(|it| it.to_string()).unwrap_or_default();
        self.each(|told| {
            let lines = [number(told.file_line), number(told.order_line)];
            let lines = lines.iter().map(String::as_str);
            Ok(writer.write_record(told.csv().into_iter().chain(lines))?)
        })?;
        Ok(writer.flush()?)
    }

    pub(super) fn write_json(&mut self, matched: u64, out: &mut impl Write) -> anyhow::Result<()> {
        write!(out, "{{\"matched\":{matched},\"breaks\":[")?;
        let mut separator = "";
        self.each(|told| {
            write!(out, "{separator}{}", serde_json::to_string(told)?)?;
            separator = ",";
            Ok(())
        })?;
        let by_kind: serde_json::Map<String, serde_json::Value> = self
            .by_kind()
            .into_iter()
            .map(|(kind, count)| (kind.to_owned(), count.into()))
            .collect();
        writeln!(out, "],\"by_kind\":{}}}", serde_json::to_string(&by_kind)?)?;
        Ok(())
    }

    pub(super) fn write_table(&mut self, matched: u64, out: &mut impl Write) -> anyhow::Result<()> {
        let mut table = vec![["kind", "type", "id", "ours", "theirs", "where"].map(str::to_owned)];
        let (all, orders) = (self.count(), self.orders.clone());
        self.each(|told| {
            if table.len() <= SHOWN_MAX {
                let side = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
                table.push([
                    told.kind.clone(),
                    told.about.clone(),
                    told.id.clone(),
                    side(&told.ours),
                    side(&told.theirs),
                    told.place(&orders),
                ]);
            }
            Ok(())
        })?;
        if all > 0 {
            let width = |column: usize| {
                let cells = table.iter().filter_map(|line| line.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            };
            let widths = [width(0), width(1), width(2), width(3), width(4)];
            for [kind, about, id, ours, theirs, place] in &table {
                let [w0, w1, w2, w3, w4] = widths;
                writeln!(
                    out,
                    "{kind:w0$}  {about:w1$}  {id:w2$}  {ours:>w3$}  {theirs:>w4$}  {place}"
                )?;
            }
        }
        if let Some(more) = all
            .checked_sub(u64::try_from(SHOWN_MAX)?)
            .filter(|it| *it > 0)
        {
            writeln!(out, "and {more} more; --csv FILE or --json has all")?;
        }
        let by_kind = self.by_kind();
        let kinds: Vec<String> = by_kind
            .iter()
            .map(|(kind, count)| format!("{kind} {count}"))
            .collect();
        let found = match all {
            0 => "no breaks".to_owned(),
            1 => format!("1 break: {}", kinds.join(", ")),
            _ => format!("{all} breaks: {}", kinds.join(", ")),
        };
        writeln!(out, "{matched} matched, {found}")?;
        Ok(())
    }
}
