//! Money on its way back, by a cancel or a refund: the reverse of a payment's road.

use crate::decide::{Context, EventEntries};
use crate::id::EventId;
use crate::ledger::{Account, Cause, Entry};
use crate::money::{Amount, Money, MoneyError};
use crate::partner::Partner;
use crate::time::Timestamp;
use crate::trade::{Payment, Slice, Trade};
use crate::wallet::Wallet;
use crate::working_set::{Changes, TurnoverKey, WorkingSet};

/// Entries, wallet and turnover of a slice that goes back; the trade itself is its caller's.
pub(super) fn give_back(
    set: &WorkingSet,
    trade: &Trade,
    payment: &Payment,
    slice: &Slice,
    (event, cause): (EventId, Cause),
    (partner, context): (&Partner, &Context<'_>),
) -> Result<Changes, MoneyError> {
    let wallet = set.wallet(trade.wallet).ok_or(MoneyError::Malformed)?;
    Ok(Changes {
        wallet: wallet_with(wallet, slice.buyer, payment)?,
        entries: entries(event, trade, slice, cause),
        turnover: turnover_without(set, partner, slice.price, payment.at, context.now)?,
        ..Changes::default()
    })
}

/// From the partner, through FX clearing where currencies differ, to the wallet; and our share to
/// the partner.
fn entries(event: EventId, trade: &Trade, slice: &Slice, cause: Cause) -> Vec<Entry> {
    let (wallet, payable) = (
        Account::Wallet(trade.wallet),
        Account::PartnerPayable(trade.key.partner),
    );
    let mut entries = EventEntries::new(event, Some(trade.id));
    if slice.buyer.currency() == slice.price.currency() {
        entries.add(payable, wallet, slice.price, cause);
    } else {
        entries.add(payable, Account::FxClearing, slice.price, cause);
        entries.add(Account::FxClearing, wallet, slice.buyer, cause);
    }
    entries.add(
        Account::CommissionIncome,
        payable,
        slice.commission,
        Cause::CommissionBack,
    );
    entries.entries
}

fn wallet_with(
    wallet: &Wallet,
    back: Money,
    payment: &Payment,
) -> Result<Option<Wallet>, MoneyError> {
    match Amount::new(back) {
        Ok(amount) => {
            let paid_on = payment.at.business_date();
            wallet.given_back(amount, paid_on).map(Some)
        }
        Err(_) => Ok(None),
    }
}

/// What goes back on the day of the payment makes room again in the partner's day.
fn turnover_without(
    set: &WorkingSet,
    partner: &Partner,
    back: Money,
    paid_at: Timestamp,
    now: Timestamp,
) -> Result<Option<(TurnoverKey, Money)>, MoneyError> {
    let date = now.business_date();
    if partner.contract.limit_per_day.is_none() || paid_at.business_date() != date {
        return Ok(None);
    }
    let key = TurnoverKey {
        partner: partner.id,
        date,
    };
    let taken = set.turnover(key, back.currency()).checked_sub(back)?;
    let taken = if taken.minor() < 0 {
        Money::zero(taken.currency())
    } else {
        taken
    };
    Ok(Some((key, taken)))
}
