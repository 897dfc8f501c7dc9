//! One row to one core value and back. Every number that means nothing is named.

use rusqlite::Row;
use spotpay_core::id::{EventId, PartnerId, TradeId, WalletId};
use spotpay_core::money::{Amount, Currency, FxRate, Money};
use spotpay_core::payment_code::{Alias, CodeTag, CodesUsed, UsedWindow};
use spotpay_core::shop::{Shop, ShopKey};
use spotpay_core::time::{CivilDate, Timestamp};
use spotpay_core::trade::{
    CancelName, CloseCause, ClosedMark, ContentHash, Conversion, Dialect, Payment, Slot, Trade,
    TradeKey, TradeState,
};
use spotpay_core::wallet::{Confirmation, PaymentInst, Spent, Wallet, WalletLimits, WalletState};

use crate::StoreError;

type Found<T> = Result<T, StoreError>;

/// Names a value that means nothing.
pub(super) fn corrupt(table: &'static str, column: &'static str) -> StoreError {
    StoreError::Corrupt { table, column }
}

/// Numbers of one second in the row key: bucket behind number, so that rows are appended.
const SECOND: i64 = 1_000_000_000;
const BUCKETS: i64 = 10_000;
const NUMBERS: i64 = 100_000;

/// The row key of a trade number: the same digits, with the bucket last. A trade number names its
/// bucket before its number so that shards can be told; a single file wants order in time.
pub(super) fn row_key(raw: i64) -> i64 {
    let (second, rest) = (raw.div_euclid(SECOND), raw.rem_euclid(SECOND));
    second * SECOND + (rest % NUMBERS) * BUCKETS + rest / NUMBERS
}

fn raw_of(key: i64) -> i64 {
    let (second, rest) = (key.div_euclid(SECOND), key.rem_euclid(SECOND));
    second * SECOND + (rest % BUCKETS) * NUMBERS + rest / BUCKETS
}

pub(super) fn trade_id(key: i64) -> TradeId {
    TradeId::from_i64(raw_of(key))
}

/// The row key of what an event caused.
pub(super) fn event_key(event: EventId) -> i64 {
    row_key(event.as_i64())
}

pub(super) fn event_id(key: i64) -> EventId {
    EventId::from_i64(raw_of(key))
}

/// An event has at most four entries.
const ENTRIES: i64 = 4;

pub(super) fn entry_key(event: EventId, number: u8) -> i64 {
    event_key(event) * ENTRIES + i64::from(number)
}

pub(super) fn row_key_of_entry(key: i64) -> i64 {
    key.div_euclid(ENTRIES)
}

pub(super) fn event_of_entry(key: i64) -> EventId {
    event_id(row_key_of_entry(key))
}

/// A statement around the columns that [`slot`], [`wallet`] or [`shop`] read, in their order.
macro_rules! concat_columns {
    ($before:literal, TRADE, $after:literal) => {
        concat!(
            $before,
            "key, partner, partner_trans_id, state, amount, currency, wallet, inst, shop, content, code, title, \
             terminal, memo, notify_url, rate, buyer_amount, paid_after, event, commission, refunded, refunded_buyer, \
             commission_returned, closed_at, close_cause, refund_pending, dialect",
            $after
        )
    };
    ($before:literal, WALLET, $after:literal) => {
        concat!(
            $before,
            "id, name, login, inst, balance, state, confirmation, limit_per_payment, limit_per_day, \
             limit_per_month, spent_date, spent_day, spent_month, codes_used",
            $after
        )
    };
    ($before:literal, SHOP, $after:literal) => {
        concat!(
            $before,
            "shop.key, shop.partner, shop.secondary_merchant_id, shop.secondary_merchant_name, \
             shop.secondary_merchant_industry, shop.store_id, shop.store_name",
            $after
        )
    };
}
pub(super) use concat_columns;

/// The state of a mark; the others are in [`state`].
pub(super) const MARK: i64 = 3;

pub(super) fn slot(row: &Row<'_>) -> Found<Slot> {
    let id = trade_id(row.get(0)?);
    let partner = partner_id(row.get(1)?, "trade")?;
    let text = row
        .get_ref(2)?
        .as_str()
        .map_err(|_| corrupt("trade", "partner_trans_id"))?;
    let key = TradeKey {
        partner,
        id: text
            .parse()
            .map_err(|_| corrupt("trade", "partner_trans_id"))?,
    };
    let state: i64 = row.get(3)?;
    if state == MARK {
        return Ok(Slot::Mark(ClosedMark {
            id,
            key,
            at: Timestamp::from_micros(row.get(23)?),
        }));
    }
    let amount = amount(row.get(4)?, currency(row.get(5)?, "trade")?, "trade")?;
    let inst = inst(row.get(7)?, "trade")?;
    let content: [u8; 16] = row.get(9)?;
    let trade = Trade {
        id,
        key,
        amount,
        wallet: wallet_id(row.get(6)?, "trade")?,
        inst,
        conversion: conversion(row.get(15)?, row.get(16)?, inst)?,
        shop: ShopKey(row.get(8)?),
        terminal: row.get(12)?,
        title: row.get(11)?,
        memo: row.get(13)?,
        notify_url: row.get(14)?,
        dialect: Dialect(row.get(26)?),
        content: ContentHash(content),
        code: CodeTag(row.get(10)?),
        state: TradeState::Waiting,
    };
    let state = state_of(row, &trade, state)?;
    Ok(Slot::Trade(Box::new(Trade { state, ..trade })))
}

fn conversion(
    rate: Option<i64>,
    buyer_amount: Option<i64>,
    inst: PaymentInst,
) -> Found<Option<Conversion>> {
    let (Some(rate), Some(minor)) = (rate, buyer_amount) else {
        return Ok(None);
    };
    let rate = u64::try_from(rate)
        .ok()
        .and_then(|e8| FxRate::of_e8(e8).ok())
        .ok_or(corrupt("trade", "rate"))?;
    Ok(Some(Conversion {
        rate,
        buyer_amount: amount(minor, inst.currency(), "trade")?,
    }))
}

fn state_of(row: &Row<'_>, trade: &Trade, state: i64) -> Found<TradeState> {
    match state {
        0 => Ok(TradeState::Waiting),
        1 => Ok(TradeState::Paid(
            payment(row, trade)?.ok_or(corrupt("trade", "paid_after"))?,
        )),
        2 => Ok(TradeState::Closed {
            at: Timestamp::from_micros(row.get(23)?),
            cause: close_cause(row.get(24)?)?,
            payment: payment(row, trade)?,
        }),
        _ => Err(corrupt("trade", "state")),
    }
}

fn payment(row: &Row<'_>, trade: &Trade) -> Found<Option<Payment>> {
    let Some(after) = row.get::<_, Option<i64>>(17)? else {
        return Ok(None);
    };
    let at = Timestamp::from_micros(trade.created_at().as_micros().saturating_add(after));
    let event = row
        .get::<_, Option<i64>>(18)?
        .map_or(trade.id.into(), event_id);
    let price = trade.amount.currency();
    Ok(Some(Payment {
        at,
        event,
        commission: Money::of_minor(row.get(19)?, price),
        refunded: Money::of_minor(row.get(20)?, price),
        refunded_buyer: Money::of_minor(row.get(21)?, trade.inst.currency()),
        commission_returned: Money::of_minor(row.get(22)?, price),
        refund_pending: Money::of_minor(row.get::<_, Option<i64>>(25)?.unwrap_or(0), price),
    }))
}

const CLOSE_CAUSES: [(i64, CloseCause); 6] = [
    (1, CloseCause::Expired),
    (2, CloseCause::Declined),
    (3, CloseCause::Cancelled(CancelName::Cancel)),
    (4, CloseCause::Cancelled(CancelName::SpotCancel)),
    (5, CloseCause::Cancelled(CancelName::Reverse)),
    (6, CloseCause::Refunded),
];

fn close_cause(code: i64) -> Found<CloseCause> {
    let found = CLOSE_CAUSES.iter().find(|(known, _)| *known == code);
    found
        .map(|(_, cause)| *cause)
        .ok_or(corrupt("trade", "close_cause"))
}

pub(super) fn close_cause_code(cause: CloseCause) -> i64 {
    CLOSE_CAUSES
        .iter()
        .find(|(_, known)| *known == cause)
        .map_or(0, |(code, _)| *code)
}

pub(super) fn wallet(row: &Row<'_>) -> Found<Wallet> {
    let inst = inst(row.get(3)?, "wallet")?;
    let own = inst.currency();
    let limit = |index| -> Found<Option<Amount>> {
        row.get::<_, Option<i64>>(index)?
            .map(|minor| amount(minor, own, "wallet"))
            .transpose()
    };
    Ok(Wallet {
        id: wallet_id(row.get(0)?, "wallet")?,
        name: row.get(1)?,
        login: row.get(2)?,
        inst,
        balance: Money::of_minor(row.get(4)?, own),
        state: match row.get(5)? {
            0 => WalletState::Active,
            1 => WalletState::Frozen,
            _ => return Err(corrupt("wallet", "state")),
        },
        confirmation: match row.get(6)? {
            0 => Confirmation::NotAsked,
            1 => Confirmation::Asked,
            _ => return Err(corrupt("wallet", "confirmation")),
        },
        limits: WalletLimits {
            per_payment: limit(7)?,
            per_day: limit(8)?,
            per_month: limit(9)?,
        },
        spent: Spent {
            date: CivilDate::from_days(row.get(10)?),
            day: Money::of_minor(row.get(11)?, own),
            month: Money::of_minor(row.get(12)?, own),
        },
        codes_used: codes_used(
            row.get_ref(13)?
                .as_bytes_or_null()
                .map_err(|_| corrupt("wallet", "codes_used"))?,
        )?,
    })
}

const WINDOW_BYTES: usize = 20;

fn codes_used(bytes: Option<&[u8]>) -> Found<CodesUsed> {
    let bad = || corrupt("wallet", "codes_used");
    let bytes = bytes.unwrap_or_default();
    let windows = bytes.chunks(WINDOW_BYTES).map(|chunk| {
        let (alias, rest) = chunk.split_first_chunk::<4>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let bits = rest.first_chunk::<8>()?;
        Some(UsedWindow {
            alias: Alias::from_number(u32::from_be_bytes(*alias))?,
            first: i64::from_be_bytes(*first),
            bits: u64::from_be_bytes(*bits),
        })
    });
    windows
        .collect::<Option<Vec<_>>>()
        .map(CodesUsed::from_windows)
        .ok_or_else(bad)
}

pub(super) fn codes_used_bytes(codes: &CodesUsed) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(codes.windows().len() * WINDOW_BYTES);
    for window in codes.windows() {
        bytes.extend_from_slice(&window.alias.number().to_be_bytes());
        bytes.extend_from_slice(&window.first.to_be_bytes());
        bytes.extend_from_slice(&window.bits.to_be_bytes());
    }
    (!bytes.is_empty()).then_some(bytes)
}

pub(super) fn shop(row: &Row<'_>) -> Found<Shop> {
    let id: String = row.get(2)?;
    let store: String = row.get(5)?;
    Ok(Shop {
        partner: partner_id(row.get(1)?, "shop")?,
        secondary_merchant_id: id
            .parse()
            .map_err(|_| corrupt("shop", "secondary_merchant_id"))?,
        secondary_merchant_name: row.get(3)?,
        secondary_merchant_industry: row.get(4)?,
        store_id: store.parse().map_err(|_| corrupt("shop", "store_id"))?,
        store_name: row.get(6)?,
    })
}

pub(super) fn inst(code: i64, table: &'static str) -> Found<PaymentInst> {
    match code {
        0 => Ok(PaymentInst::AlipayHk),
        1 => Ok(PaymentInst::AlipayCn),
        _ => Err(corrupt(table, "inst")),
    }
}

pub(super) fn inst_code(inst: PaymentInst) -> i64 {
    match inst {
        PaymentInst::AlipayHk => 0,
        PaymentInst::AlipayCn => 1,
    }
}

pub(super) fn currency(numeric: i64, table: &'static str) -> Found<Currency> {
    u16::try_from(numeric)
        .ok()
        .and_then(Currency::from_numeric)
        .ok_or(corrupt(table, "currency"))
}

pub(super) fn amount(minor: i64, currency: Currency, table: &'static str) -> Found<Amount> {
    Amount::new(Money::of_minor(minor, currency)).map_err(|_| corrupt(table, "amount"))
}

/// A member number as SQL takes it: twelve digits always fit.
pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn partner_id(raw: i64, table: &'static str) -> Found<PartnerId> {
    u64::try_from(raw)
        .ok()
        .and_then(PartnerId::from_number)
        .ok_or(corrupt(table, "partner"))
}

pub(super) fn wallet_id(raw: i64, table: &'static str) -> Found<WalletId> {
    u64::try_from(raw)
        .ok()
        .and_then(WalletId::from_number)
        .ok_or(corrupt(table, "wallet"))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Goal: row keys are one to one with trade numbers, and grow with second and number.
    #[test]
    fn row_keys_lead_back_and_grow() {
        let at = |second: i64| Timestamp::from_seconds(1_800_000_000 + second);
        let mut last = 0_i64;
        for second in 0..3 {
            for number in [0, 1, 99_999] {
                for bucket in [0, 1, 9_999] {
                    let id = TradeId::new(at(second), bucket, number).unwrap();
                    assert_eq!(trade_id(row_key(id.as_i64())), id);
                    assert_eq!(event_of_entry(entry_key(id.into(), 3)), id.into());
                    assert!(row_key(id.as_i64()) > last);
                    last = row_key(id.as_i64());
                }
            }
        }
        let last = TradeId::new(
            Timestamp::parse_compact("20921231235959").unwrap(),
            9_999,
            99_999,
        )
        .unwrap();
        assert_eq!(
            event_of_entry(entry_key(last.into(), 3)),
            last.into(),
            "entries fit until 2093"
        );
    }
}
