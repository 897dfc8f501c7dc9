//! What a partner's statement tells, event by event: the rows behind the files and their like over
//! HTTP.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use spotpay_core::id::PartnerId;
use spotpay_core::money::{Money, Rounding};
use spotpay_core::settlement::Batch;
use spotpay_core::shop::{Shop, ShopKey};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::{CloseCause, Trade, TradeState};
use spotpay_core::wallet::PaymentInst;
use spotpay_store::StoreError;
use spotpay_store::sqlite::{Reader, StatementRow};
use spotpay_wire::files::{
    HttpRow, Pricing, Rmb, SettlementRow, SettlementType, StoreColumns, Style, TransactionRow,
    TransactionType,
};

use super::MakeError;
use crate::app::App;

/// Rows of one read: each is a short read transaction.
const PAGE: usize = 2_000;

/// A partner's batches of a day, the oldest first.
///
/// # Errors
/// A fault of the store.
pub(super) fn batches_of(
    app: &App,
    partner: PartnerId,
    date: CivilDate,
) -> Result<Vec<Batch>, StoreError> {
    let all = app
        .readers
        .read(|reader| reader.batches(Some(date), usize::MAX))?;
    let own = all.into_iter().rev();
    Ok(own.filter(|batch| batch.key.partner == partner).collect())
}

/// Tells events, one after another; knows each shop once it has met it.
pub(super) struct Teller<'a> {
    app: &'a App,
    partner: PartnerId,
    style: Style,
    shops: HashMap<ShopKey, Shop>,
}

impl<'a> Teller<'a> {
    pub(super) fn new(app: &'a App, partner: PartnerId, style: Style) -> Self {
        Self {
            app,
            partner,
            style,
            shops: HashMap::new(),
        }
    }

    /// Gives the rows of some dates to `take`, of a batch only those in its currency.
    ///
    /// # Errors
    /// Rows that cannot be read or do not fit each other, and what `take` says.
    pub(super) fn rows(
        &mut self,
        dates: (CivilDate, CivilDate),
        batch: Option<&Batch>,
        mut take: impl FnMut(&EventRow<'_>) -> Result<(), MakeError>,
    ) -> Result<(), MakeError> {
        let app = self.app;
        let mut after = None;
        loop {
            let page = app
                .readers
                .read(|reader| reader.events(self.partner, dates, after, PAGE))?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = Some(last.event);
            for row in &page {
                let told = app
                    .readers
                    .read(|reader| Ok(self.row(reader, row, batch)))??;
                if let Some(told) = told {
                    take(&told)?;
                }
            }
        }
    }

    fn row(
        &mut self,
        reader: &Reader,
        row: &StatementRow,
        batch: Option<&Batch>,
    ) -> Result<Option<EventRow<'_>>, MakeError> {
        let trade = reader.trade(row.trade)?.ok_or(MakeError::Rows)?;
        if batch.is_some_and(|batch| batch.key.currency != trade.amount.currency()) {
            return Ok(None);
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
        Ok(Some(EventRow {
            number: trade.id.to_string(),
            settlement,
            shop,
            wallet,
            rmb,
            told,
        }))
    }
}

/// An event with all that any layout tells of it.
pub(super) struct EventRow<'a> {
    told: Told,
    number: String,
    settlement: Money,
    shop: &'a Shop,
    wallet: Option<PaymentInst>,
    rmb: Option<Rmb>,
}

impl EventRow<'_> {
    /// As the transaction file has it.
    pub(super) fn transaction(&self) -> TransactionRow<'_> {
        TransactionRow {
            partner_transaction_id: &self.told.id,
            transaction_id: &self.number,
            amount: self.told.amount,
            fee: self.told.fee,
            payment_time: self.told.at,
            kind: self.told.kind,
            remark: &self.told.remark,
            store: StoreColumns::of(self.shop),
            order_scene: "",
            pricing: Some(Pricing::equal(self.told.amount)),
            wallet: self.wallet,
            rmb: self.rmb,
        }
    }

    /// As the settlement file has it.
    pub(super) fn settlement(&self, settlement_time: Timestamp) -> SettlementRow<'_> {
        SettlementRow {
            partner_transaction_id: self.settlement_id(),
            transaction_id: &self.number,
            amount: self.told.amount,
            fee: self.told.fee,
            settlement: self.settlement,
            payment_time: self.told.at,
            settlement_time,
            kind: self.told.settlement_type(),
            remark: &self.told.remark,
            store: StoreColumns::of(self.shop),
            order_scene: "",
            pricing: Some(Pricing::equal(self.told.amount)),
            wallet: self.wallet,
            rmb: self.rmb,
        }
    }

    /// As it is told over HTTP, where both texts have the types of the settlement file and so its
    /// numbers too: a cancel could not be told from a refund otherwise.
    pub(super) fn http(&self, settlement_time: Option<Timestamp>) -> HttpRow<'_> {
        HttpRow {
            partner_transaction_id: self.settlement_id(),
            transaction_id: &self.number,
            amount: self.told.amount,
            fee: self.told.fee,
            settlement: self.settlement,
            payment_time: self.told.at,
            settlement_time,
            kind: self.told.settlement_type(),
            remark: &self.told.remark,
            rmb: self.rmb,
        }
    }

    /// Of a cancel our own number (`spec/13`, 26).
    fn settlement_id(&self) -> &str {
        match self.told.kind {
            TransactionType::Payment | TransactionType::Refund => &self.told.id,
            TransactionType::Cancel | TransactionType::Reverse => &self.number,
        }
    }
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
