//! Before the queue: everything that a command names and that never changes is looked up here, on
//! the request's own thread.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use spotpay_core::command::{Buyer, Cancel, Pay};
use spotpay_core::id::{IdError, PartnerId, TradeId};
use spotpay_core::partner::{Partner, StoreData as StoreDataTerm};
use spotpay_core::payment_code::{Alias, CodeRefusal, CodeTag, PaymentCode};
use spotpay_core::registration::{StoreKey, StoreState};
use spotpay_core::shop::{Shop, ShopFound, ShopRefusal};
use spotpay_core::time::{Span, Timestamp};
use spotpay_core::trade::{ContentHash, Dialect, Slot, Trade, TradeKey};
use spotpay_core::wallet::Wallet;
use spotpay_store::StoreError;
use spotpay_wire::trade_no::TradeNo;
use spotpay_wire::{cancel, pay, query};

use crate::app::App;

/// A pay request with its code, its shop and its digest.
pub(super) fn pay(
    app: &App,
    partner: &Partner,
    request: pay::Request,
    dialect: Dialect,
) -> Result<Pay, StoreError> {
    let (buyer, code) = check_code(app, partner.id, request.code.as_ref())?;
    let shop = find_shop(app, partner, &request.store)?;
    let (merchant, store) = match (
        &request.store.secondary_merchant_id,
        &request.store.store_id,
    ) {
        (Some(merchant), Some(store)) => (merchant, store),
        _ => (
            &partner.default_shop.secondary_merchant_id,
            &partner.default_shop.store_id,
        ),
    };
    let content = ContentHash::of(
        request.amount,
        request.trans_currency,
        partner.id,
        merchant,
        store,
    );
    Ok(Pay {
        key: TradeKey {
            partner: partner.id,
            id: request.partner_trans_id,
        },
        amount: request.amount,
        list_currency: request.trans_currency,
        buyer,
        code,
        shop,
        terminal: request.store.terminal_id,
        title: request.trans_name,
        memo: request.memo,
        notify_url: request.notify_url,
        dialect,
        content,
    })
}

/// The wallet behind a code: one row and one HMAC.
fn check_code(
    app: &App,
    partner: PartnerId,
    code: Result<&PaymentCode, &IdError>,
) -> Result<(Result<Buyer, CodeRefusal>, CodeTag), StoreError> {
    let Ok(code) = code else {
        return Ok((Err(CodeRefusal::Malformed), CodeTag(0)));
    };
    let tag = code.tag();
    let now = app.clock.now();
    let Some(alias) = code.alias() else {
        return Ok((Err(CodeRefusal::Malformed), tag));
    };
    if app.guard.is_blocked(partner, alias, now) {
        return Ok((Err(CodeRefusal::TooManyTries), tag));
    }
    let device = app.readers.read(|reader| reader.device(alias))?;
    let checked = device.ok_or(CodeRefusal::UnknownAlias).and_then(|device| {
        let code = code.check(&device.secret, now)?;
        Ok(Buyer {
            wallet: device.wallet,
            code,
        })
    });
    if let Err(refusal) = checked {
        app.guard.note(partner, code, refusal, now);
    }
    Ok((checked, tag))
}

/// `spec/13`, 15: the default store, a registered one, or one that the request describes.
fn find_shop(
    app: &App,
    partner: &Partner,
    data: &pay::StoreData,
) -> Result<Result<ShopFound, ShopRefusal>, StoreError> {
    let default = &partner.default_shop;
    let (merchant, store) = match (&data.secondary_merchant_id, &data.store_id) {
        (None, None) => {
            return Ok(match partner.contract.store_data {
                StoreDataTerm::Optional => Ok(ShopFound::Stored(default.key())),
                StoreDataTerm::Required => Err(ShopRefusal::StoreDataRequired),
            });
        }
        (Some(merchant), Some(store)) => (merchant, store),
        (Some(_), None) | (None, Some(_)) => return Ok(Err(ShopRefusal::NotRegistered)),
    };
    if *merchant == default.secondary_merchant_id && *store == default.store_id {
        return Ok(Ok(ShopFound::Stored(default.key())));
    }
    let store_key = StoreKey {
        partner: partner.id,
        secondary_merchant_id: merchant.clone(),
        store_id: store.clone(),
    };
    let registered = app.readers.read(|reader| reader.registration(&store_key))?;
    match registered.map(|found| (found.state, found.data.shop.key())) {
        Some((StoreState::Verified, key)) => return Ok(Ok(ShopFound::Stored(key))),
        Some((StoreState::Rejected { .. }, _)) => return Ok(Err(ShopRefusal::Rejected)),
        Some((StoreState::Processing, _)) | None => {}
    }
    let (Some(merchant_name), Some(industry)) = (
        &data.secondary_merchant_name,
        &data.secondary_merchant_industry,
    ) else {
        return Ok(Err(ShopRefusal::NotRegistered));
    };
    let shop = Shop {
        partner: partner.id,
        secondary_merchant_id: merchant.clone(),
        secondary_merchant_name: merchant_name.clone(),
        secondary_merchant_industry: industry.clone(),
        store_id: store.clone(),
        store_name: data
            .store_name
            .clone()
            .unwrap_or_else(|| merchant_name.clone()),
    };
    let stored = app
        .readers
        .read(|reader| reader.shop(shop.key()))?
        .is_some();
    Ok(Ok(if stored {
        ShopFound::Stored(shop.key())
    } else {
        ShopFound::New(Arc::new(shop))
    }))
}

/// A trade that a query found, with its wallet.
pub(super) struct FoundTrade {
    pub(super) trade: Box<Trade>,
    pub(super) wallet: Option<Wallet>,
}

/// The trade that a query asks for: by our number first, and only the partner's own.
pub(super) fn query(
    app: &App,
    partner: &Partner,
    request: &query::Request,
) -> Result<Option<FoundTrade>, StoreError> {
    let number = request.alipay_trans_id.as_ref().and_then(TradeNo::ours);
    let found = own_key(app, partner, number)?;
    let key = found.or_else(|| {
        Some(TradeKey {
            partner: partner.id,
            id: request.partner_trans_id.clone()?,
        })
    });
    let Some(key) = key else { return Ok(None) };
    app.readers.read(|reader| match reader.slot(&key)? {
        Some(Slot::Trade(trade)) => Ok(Some(FoundTrade {
            wallet: reader.wallet(trade.wallet)?,
            trade,
        })),
        Some(Slot::Mark(_)) | None => Ok(None),
    })
}

/// The trade under a partner's number, if there is one.
pub(super) fn trade_under(app: &App, key: &TradeKey) -> Result<Option<TradeId>, StoreError> {
    let slot = app.readers.read(|reader| reader.slot(key))?;
    Ok(match slot {
        Some(Slot::Trade(trade)) => Some(trade.id),
        Some(Slot::Mark(_)) | None => None,
    })
}

/// What to cancel: our number wins, but one that leads nowhere does not keep the partner's own
/// number from being closed. `None` when neither leads anywhere.
pub(super) fn cancel(
    app: &App,
    partner: &Partner,
    request: &cancel::Request,
) -> Result<Option<Cancel>, StoreError> {
    let number = request.trade_no.as_ref().and_then(TradeNo::ours);
    let found = own_key(app, partner, number)?;
    let key = found.or_else(|| {
        let id = request.partner_trans_id.clone()?;
        Some(TradeKey {
            partner: partner.id,
            id,
        })
    });
    Ok(key.map(|key| Cancel {
        key,
        name: request.name,
    }))
}

fn own_key(
    app: &App,
    partner: &Partner,
    number: Option<TradeId>,
) -> Result<Option<TradeKey>, StoreError> {
    let Some(number) = number else {
        return Ok(None);
    };
    let key = app.readers.read(|reader| reader.trade_key(number))?;
    Ok(key.filter(|key| key.partner == partner.id))
}

/// Wrong codes of one partner in one minute before its codes are no longer looked at.
const PARTNER_TRIES: u32 = 120;
/// Wrong last digits for one alias before it is locked; its phone takes another one once online.
const ALIAS_TRIES: u32 = 5;
/// How long an alias stays locked, from its first wrong try.
const ALIAS_LOCK: Span = Span::minutes(10);
const MINUTE: Span = Span::minutes(1);
/// Aliases that are remembered; with more at once, the partners' own limits have to do.
const ALIASES_MAX: usize = 100_000;

/// Counts wrong codes: per partner first, then per alias, never per wallet.
#[derive(Debug, Default)]
pub struct CodeGuard(Mutex<Tries>);

#[derive(Debug, Default)]
struct Tries {
    partners: HashMap<PartnerId, Count>,
    aliases: HashMap<Alias, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    since: Timestamp,
    wrong: u32,
}

impl Count {
    /// One more within the span, or the first of the next.
    fn after(old: Option<Self>, now: Timestamp, span: Span) -> Self {
        match old {
            Some(count) if now < count.since.plus(span) => Self {
                wrong: count.wrong.saturating_add(1),
                ..count
            },
            Some(_) | None => Self {
                since: now,
                wrong: 1,
            },
        }
    }

    fn is_over(self, limit: u32, now: Timestamp, span: Span) -> bool {
        limit <= self.wrong && now < self.since.plus(span)
    }
}

impl CodeGuard {
    fn lock(&self) -> MutexGuard<'_, Tries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_blocked(&self, partner: PartnerId, alias: Alias, now: Timestamp) -> bool {
        let tries = self.lock();
        let partner = tries
            .partners
            .get(&partner)
            .is_some_and(|count| count.is_over(PARTNER_TRIES, now, MINUTE));
        partner
            || tries
                .aliases
                .get(&alias)
                .is_some_and(|count| count.is_over(ALIAS_TRIES, now, ALIAS_LOCK))
    }

    /// Counts a code that its check refused; a try under way counts already, so that many at once
    /// run into the limit as well.
    fn note(&self, partner: PartnerId, code: &PaymentCode, refusal: CodeRefusal, now: Timestamp) {
        match refusal {
            CodeRefusal::Forged => self.note_wrong(partner, code.alias(), now),
            CodeRefusal::UnknownAlias => self.note_wrong(partner, None, now),
            CodeRefusal::Malformed
            | CodeRefusal::OutOfTime
            | CodeRefusal::Used
            | CodeRefusal::TooManyTries => {}
        }
    }

    /// Takes a count back: the code was a trade's own, or nobody heard whether it was right.
    pub(super) fn forgive(&self, partner: PartnerId, code: &PaymentCode, refusal: CodeRefusal) {
        let alias = match refusal {
            CodeRefusal::Forged => code.alias(),
            CodeRefusal::UnknownAlias => None,
            CodeRefusal::Malformed
            | CodeRefusal::OutOfTime
            | CodeRefusal::Used
            | CodeRefusal::TooManyTries => return,
        };
        let mut tries = self.lock();
        let less = |count: &mut Count| count.wrong = count.wrong.saturating_sub(1);
        tries.partners.get_mut(&partner).map(less);
        alias
            .and_then(|alias| tries.aliases.get_mut(&alias))
            .map(less);
    }

    fn note_wrong(&self, partner: PartnerId, alias: Option<Alias>, now: Timestamp) {
        let mut tries = self.lock();
        let count = Count::after(tries.partners.get(&partner).copied(), now, MINUTE);
        tries.partners.insert(partner, count);
        let Some(alias) = alias else { return };
        let known = tries.aliases.get(&alias).copied();
        if known.is_none() && tries.aliases.len() >= ALIASES_MAX {
            tries
                .aliases
                .retain(|_, count| now < count.since.plus(ALIAS_LOCK));
            if tries.aliases.len() >= ALIASES_MAX / 2 {
                return;
            }
        }
        tries
            .aliases
            .insert(alias, Count::after(known, now, ALIAS_LOCK));
    }

    /// Forgets everything, for a reset store.
    pub fn clear(&self) {
        *self.lock() = Tries::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + second)
    }

    // Goal: guessing runs into the partner's limit for a minute, and into the alias's for ten.
    #[test]
    fn wrong_codes_are_counted() {
        let (partner, other) = (
            PartnerId::from_number(1).unwrap(),
            PartnerId::from_number(2).unwrap(),
        );
        let alias = |number| Alias::from_number(number).unwrap();
        let guard = CodeGuard::default();
        for try_number in 0..ALIAS_TRIES {
            assert!(
                !guard.is_blocked(partner, alias(7), at(0)),
                "try {try_number}"
            );
            guard.note_wrong(partner, Some(alias(7)), at(0));
        }
        assert!(
            guard.is_blocked(other, alias(7), at(599)),
            "the alias is locked for every partner"
        );
        assert!(!guard.is_blocked(other, alias(8), at(0)));
        assert!(!guard.is_blocked(other, alias(7), at(600)));
        for _ in 0..PARTNER_TRIES {
            guard.note_wrong(partner, None, at(100));
        }
        assert!(guard.is_blocked(partner, alias(9), at(159)));
        assert!(!guard.is_blocked(partner, alias(9), at(160)));
        assert!(!guard.is_blocked(other, alias(9), at(159)));
        guard.clear();
        assert!(!guard.is_blocked(partner, alias(9), at(159)));
    }

    // Goal: a try counts while it is under way, and not any more once it is forgiven.
    #[test]
    fn a_forgiven_try_does_not_count() {
        let (partner, other) = (
            PartnerId::from_number(1).unwrap(),
            PartnerId::from_number(2).unwrap(),
        );
        let code: PaymentCode = "251234567890000000".parse().unwrap();
        let alias = code.alias().unwrap();
        let guard = CodeGuard::default();
        for _ in 0..ALIAS_TRIES {
            guard.note(partner, &code, CodeRefusal::Forged, at(0));
        }
        assert!(guard.is_blocked(other, alias, at(0)));
        guard.forgive(partner, &code, CodeRefusal::Forged);
        assert!(!guard.is_blocked(other, alias, at(0)));
        guard.note(partner, &code, CodeRefusal::OutOfTime, at(0));
        assert!(
            !guard.is_blocked(other, alias, at(0)),
            "an expired code is no guess"
        );
    }
}
