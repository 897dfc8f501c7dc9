//! The two files of a day: rows streamed from the store, written beside, synced, named, and from
//! then on never changed.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use spotpay_core::command::Command;
use spotpay_core::decide::Reply;
use spotpay_core::id::PartnerId;
use spotpay_core::money::{Money, Rounding};
use spotpay_core::partner::Partner;
use spotpay_core::settlement::{Batch, FileKey, FileKind, PublishedFile};
use spotpay_core::shop::{Shop, ShopKey};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::{CloseCause, Trade, TradeState};
use spotpay_store::StoreError;
use spotpay_store::sqlite::{Reader, StatementRow};
use spotpay_wire::files::{
    FileName, Pricing, Rmb, SettlementRow, SettlementType, StoreColumns, Style, TransactionRow,
    TransactionType,
};

use super::JobError;
use crate::app::App;
use crate::shelf::FILES_FOLDER;

/// Rows of one read: each is a short read transaction.
const PAGE: usize = 2_000;
/// What is written at once.
const BUFFER_BYTES: usize = 256 * 1_024;

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum MakeError {
    /// The rows cannot be read.
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    /// The disk did not take it.
    #[error("{path}")]
    Disk {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// An event's trade or refund is gone: a bug.
    #[error("the rows of an event do not fit each other")]
    Rows,
}

/// Where a file lies.
pub fn path_of(data: &Path, key: FileKey) -> PathBuf {
    data.join(FILES_FOLDER).join(name_of(key).to_string())
}

/// Takes all files away, of a store that begins anew.
///
/// # Errors
/// [`MakeError::Disk`].
pub fn forget_files(data: &Path) -> Result<(), MakeError> {
    let path = data.join(FILES_FOLDER);
    match std::fs::remove_dir_all(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        removed => removed.map_err(|source| MakeError::Disk { path, source }),
    }
}

/// The name of a file.
pub const fn name_of(key: FileKey) -> FileName {
    FileName {
        partner: key.partner,
        kind: key.kind,
        date: key.date,
    }
}

/// Publishes both files of a date for every partner; how many are new.
pub(super) async fn publish_day(app: &Arc<App>, date: CivilDate) -> Result<usize, JobError> {
    let partners: Vec<PartnerId> = app
        .snapshot
        .load()
        .config
        .partners
        .keys()
        .copied()
        .collect();
    let mut made = 0;
    for partner in partners {
        for kind in FileKind::ALL {
            let key = FileKey {
                partner,
                kind,
                date,
            };
            if app.readers.read(|reader| reader.file(key))?.is_none() {
                make(app, key).await?;
                made += 1;
            }
        }
    }
    Ok(made)
}

/// Makes a file of a day that is over, unless it is published already. That a day was empty is
/// published too: without rows, and without a file.
///
/// # Errors
/// [`JobError`]; what was begun is thrown away.
pub async fn make(app: &Arc<App>, key: FileKey) -> Result<PublishedFile, JobError> {
    let _turn = app.file_turns.lock().await;
    if let Some(known) = app.readers.read(|reader| reader.file(key))? {
        return Ok(known);
    }
    fill_statements(app, key.date).await?;
    let making = Arc::clone(app);
    let made = app.blocking(move || write_file(&making, key)).await;
    let file = made.ok_or(JobError::Stopped)??;
    let reply = app.engine.submit(Command::Publish(Box::new(file))).await?;
    let Reply::Published(file) = reply else {
        return Err(JobError::Confused);
    };
    Ok(*file)
}

/// Lists are filled behind the commits; a file waits until they have its day.
async fn fill_statements(app: &Arc<App>, date: CivilDate) -> Result<(), JobError> {
    let end = date.plus_days(1).start();
    while !app
        .readers
        .read(|reader| reader.are_statements_filled(end))?
    {
        app.engine.tend().await?;
    }
    Ok(())
}

/// A file on its way to its name.
struct Draft {
    out: BufWriter<File>,
    digest: digest::Context,
    path: PathBuf,
    text: String,
    rows: u64,
    bytes: u64,
}

impl Draft {
    fn begin(path: PathBuf) -> Result<Self, MakeError> {
        let failed = |source| MakeError::Disk {
            path: path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let file = File::create(&path).map_err(failed)?;
        Ok(Self {
            out: BufWriter::with_capacity(BUFFER_BYTES, file),
            digest: digest::Context::new(&digest::SHA256),
            path,
            text: String::with_capacity(BUFFER_BYTES),
            rows: 0,
            bytes: 0,
        })
    }

    fn failed(&self, source: std::io::Error) -> MakeError {
        MakeError::Disk {
            path: self.path.clone(),
            source,
        }
    }

    /// Writes what has gathered.
    fn flush(&mut self) -> Result<(), MakeError> {
        let text = std::mem::take(&mut self.text);
        self.digest.update(text.as_bytes());
        self.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
        let written = self.out.write_all(text.as_bytes());
        written.map_err(|source| self.failed(source))?;
        self.text = text;
        self.text.clear();
        Ok(())
    }

    /// Synced, and then under its name: whoever sees the name sees all of it.
    fn end(mut self, path: &Path) -> Result<(u64, u64, [u8; 32]), MakeError> {
        self.flush()?;
        let synced = self
            .out
            .flush()
            .and_then(|()| self.out.get_ref().sync_all())
            .and_then(|()| std::fs::rename(&self.path, path))
            .and_then(|()| sync_folder(path));
        synced.map_err(|source| self.failed(source))?;
        Ok((self.rows, self.bytes, sha256(self.digest)))
    }
}

fn sha256(read: digest::Context) -> [u8; 32] {
    read.finish().as_ref().try_into().unwrap_or_default()
}

fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The rows of a date, or of the batches of a day.
fn write_file(app: &App, key: FileKey) -> Result<PublishedFile, MakeError> {
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner(key.partner).ok_or(MakeError::Rows)?;
    let path = path_of(&app.data, key);
    let batches = match key.kind {
        FileKind::Transaction => Vec::new(),
        FileKind::Settlement => {
            let all = app
                .readers
                .read(|reader| reader.batches(Some(key.date), usize::MAX))?;
            all.into_iter()
                .filter(|batch| batch.key.partner == key.partner)
                .rev()
                .collect()
        }
    };
    let count = match key.kind {
        FileKind::Transaction => app
            .readers
            .read(|reader| reader.count_events(key.partner, (key.date, key.date)))?,
        FileKind::Settlement => batches.iter().map(|batch: &Batch| batch.moves.count).sum(),
    };
    if count == 0 {
        return Ok(PublishedFile {
            key,
            rows: 0,
            bytes: 0,
            sha256: sha256(digest::Context::new(&digest::SHA256)),
            at: app.clock.now(),
        });
    }
    let mut pen = Pen {
        app,
        partner: &entry.partner,
        style: Style::of(&entry.partner.contract),
        shops: HashMap::new(),
        draft: Draft::begin(path.with_extension("part"))?,
    };
    match key.kind {
        FileKind::Transaction => {
            let style = pen.style;
            style.transaction_head(key.partner, key.date, count, &mut pen.draft.text);
            pen.rows((key.date, key.date), None)?;
        }
        FileKind::Settlement => {
            let style = pen.style;
            style.settlement_head(&mut pen.draft.text);
            for batch in &batches {
                pen.rows((batch.first, batch.last), Some(batch))?;
            }
        }
    }
    let (rows, bytes, sha256) = pen.draft.end(&path)?;
    Ok(PublishedFile {
        key,
        rows,
        bytes,
        sha256,
        at: app.clock.now(),
    })
}

/// What an event was, as both files tell it.
struct Told {
    kind: TransactionType,
    id: String,
    at: Timestamp,
    amount: Money,
    fee: Money,
    buyer: Money,
    remark: String,
}

impl Told {
    const fn settlement_type(&self) -> SettlementType {
        match self.kind {
            TransactionType::Payment => SettlementType::P,
            TransactionType::Refund | TransactionType::Cancel | TransactionType::Reverse => {
                SettlementType::R
            }
        }
    }

    /// Of a cancel our own number (`spec/13`, 26).
    fn settlement_id<'a>(&'a self, number: &'a str) -> &'a str {
        match self.kind {
            TransactionType::Payment | TransactionType::Refund => &self.id,
            TransactionType::Cancel | TransactionType::Reverse => number,
        }
    }
}

struct Pen<'a> {
    app: &'a App,
    partner: &'a Partner,
    style: Style,
    shops: HashMap<ShopKey, Shop>,
    draft: Draft,
}

impl Pen<'_> {
    /// The rows of some dates, of a batch only those in its currency.
    fn rows(
        &mut self,
        dates: (CivilDate, CivilDate),
        batch: Option<&Batch>,
    ) -> Result<(), MakeError> {
        let mut after = None;
        loop {
            let app = self.app;
            let page = app
                .readers
                .read(|reader| reader.events(self.partner.id, dates, after, PAGE))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.event);
            for row in &page {
                app.readers
                    .read(|reader| Ok(self.row(reader, row, batch)))??;
                if self.draft.text.len() >= BUFFER_BYTES / 2 {
                    self.draft.flush()?;
                }
            }
        }
    }

    fn row(
        &mut self,
        reader: &Reader,
        row: &StatementRow,
        batch: Option<&Batch>,
    ) -> Result<(), MakeError> {
        let trade = reader.trade(row.trade)?.ok_or(MakeError::Rows)?;
        if batch.is_some_and(|batch| batch.key.currency != trade.amount.currency()) {
            return Ok(());
        }
        let told = tell(reader, row, &trade)?;
        let shop = match self.shops.entry(trade.shop) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(room) => room.insert(reader.shop(trade.shop)?.ok_or(MakeError::Rows)?),
        };
        let settlement = told
            .amount
            .checked_sub(told.fee)
            .map_err(|_| MakeError::Rows)?;
        let rmb = rmb(&trade, told.buyer, settlement);
        let wallet = match self.style {
            Style::Hk(_) => Some(trade.inst),
            Style::Standard(_) => None,
        };
        let number = trade.id.to_string();
        self.draft.rows += 1;
        match batch {
            None => self.style.transaction(
                &TransactionRow {
                    partner_transaction_id: &told.id,
                    transaction_id: &number,
                    amount: told.amount,
                    fee: told.fee,
                    payment_time: told.at,
                    kind: told.kind,
                    remark: &told.remark,
                    store: StoreColumns::of(shop),
                    order_scene: "",
                    pricing: Some(Pricing::equal(told.amount)),
                    wallet,
                    rmb,
                },
                &mut self.draft.text,
            ),
            Some(batch) => self.style.settlement(
                &SettlementRow {
                    partner_transaction_id: told.settlement_id(&number),
                    transaction_id: &number,
                    amount: told.amount,
                    fee: told.fee,
                    settlement,
                    payment_time: told.at,
                    settlement_time: batch.at,
                    kind: told.settlement_type(),
                    remark: &told.remark,
                    store: StoreColumns::of(shop),
                    order_scene: "",
                    pricing: Some(Pricing::equal(told.amount)),
                    wallet,
                    rmb,
                },
                &mut self.draft.text,
            ),
        }
        Ok(())
    }
}

/// The same money in CNY, which the style shows or does not.
fn rmb(trade: &Trade, buyer: Money, settlement: Money) -> Option<Rmb> {
    let conversion = trade.conversion?;
    let whole = trade.amount.money();
    let converted = trade.buyer_amount().money();
    let settlement = converted.share(settlement, whole, Rounding::HalfUp).ok()?;
    Some(Rmb {
        rate: conversion.rate,
        amount: buyer,
        settlement,
    })
}

fn tell(reader: &Reader, row: &StatementRow, trade: &Trade) -> Result<Told, MakeError> {
    let payment = trade.payment().ok_or(MakeError::Rows)?;
    if payment.event == row.event {
        return Ok(Told {
            kind: TransactionType::Payment,
            id: trade.key.id.as_str().to_owned(),
            at: payment.at,
            amount: trade.amount.money(),
            fee: payment.commission,
            buyer: trade.buyer_amount().money(),
            remark: trade.memo.as_deref().unwrap_or_default().to_owned(),
        });
    }
    if let Some(refund) = reader.refund_by_event(row.event)? {
        let spotpay_core::refund::RefundState::Done(moved) = refund.state else {
            return Err(MakeError::Rows);
        };
        return Ok(Told {
            kind: TransactionType::Refund,
            id: refund.key.id.as_str().to_owned(),
            at: moved.at,
            amount: refund.amount.money(),
            fee: moved.commission_returned,
            buyer: moved.buyer_amount,
            remark: refund.reason.as_deref().unwrap_or("Refund").to_owned(),
        });
    }
    tell_cancel(reader, trade)
}

/// What a cancel gave back: all that no refund had.
fn tell_cancel(reader: &Reader, trade: &Trade) -> Result<Told, MakeError> {
    let payment = trade.payment().ok_or(MakeError::Rows)?;
    let TradeState::Closed {
        at,
        cause: CloseCause::Cancelled(name),
        ..
    } = trade.state
    else {
        return Err(MakeError::Rows);
    };
    let (mut amount, mut fee) = (trade.amount.money(), payment.commission);
    let mut buyer = trade.buyer_amount().money();
    for refund in reader.refunds(trade.id)? {
        if let spotpay_core::refund::RefundState::Done(moved) = refund.state {
            let less = |of: Money, by: Money| of.checked_sub(by).map_err(|_| MakeError::Rows);
            amount = less(amount, refund.amount.money())?;
            fee = less(fee, moved.commission_returned)?;
            buyer = less(buyer, moved.buyer_amount)?;
        }
    }
    Ok(Told {
        kind: name.into(),
        id: trade.key.id.as_str().to_owned(),
        at,
        amount,
        fee,
        buyer,
        // The published samples leave it empty.
        remark: String::new(),
    })
}
