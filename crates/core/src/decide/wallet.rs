//! Wallets: opened, amended, topped up, given another alias.

use crate::command::{AmendWallet, OpenWallet, TopUp};
use crate::decide::{Context, Decision, EventEntries, Reply};
use crate::id::WalletId;
use crate::ledger::{Account, Cause};
use crate::money::{Amount, Money, MoneyError};
use crate::payment_code::CodesUsed;
use crate::wallet::{Device, Spent, Wallet, WalletLimits};
use crate::working_set::{Changes, WorkingSet};

/// Why a wallet is not opened or changed, in the order of the checks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalletRefusal {
    /// There is no such wallet.
    Unknown,
    /// The number is another wallet's.
    IdTaken,
    /// The name is another wallet's.
    NameTaken,
    /// The alias is another device's; another try takes another one.
    AliasTaken,
    /// The money is not in the wallet's currency.
    CurrencyDiffers,
    /// A sum does not fit.
    Money(MoneyError),
}

type Decided = Result<(Changes, Wallet), WalletRefusal>;

fn reply(decided: Decided) -> Decision {
    match decided {
        Ok((changes, wallet)) => Decision {
            changes,
            reply: Reply::Wallet(Ok(Box::new(wallet))),
        },
        Err(refusal) => Decision::unchanged(Reply::Wallet(Err(refusal))),
    }
}

pub(super) fn decide_open(set: &WorkingSet, open: &OpenWallet, context: &Context<'_>) -> Decision {
    reply(open_wallet(set, open, context))
}

fn open_wallet(set: &WorkingSet, open: &OpenWallet, context: &Context<'_>) -> Decided {
    if set.wallet(open.id).is_some() {
        return Err(WalletRefusal::IdTaken);
    }
    if set.has_wallet_name(&open.name) {
        return Err(WalletRefusal::NameTaken);
    }
    if set.has_alias(open.device.alias) {
        return Err(WalletRefusal::AliasTaken);
    }
    debug_assert_eq!(
        open.device.wallet, open.id,
        "the first device is the wallet's own"
    );
    let currency = open.inst.currency();
    let wallet = Wallet {
        id: open.id,
        name: open.name.clone(),
        login: open.login.clone(),
        inst: open.inst,
        balance: Money::zero(currency),
        state: open.state,
        confirmation: open.confirmation,
        limits: WalletLimits::default(),
        spent: Spent::nothing(currency),
        codes_used: CodesUsed::default(),
    };
    let (mut changes, wallet) = match open.balance {
        None => (
            Changes {
                wallet: Some(wallet.clone()),
                ..Changes::default()
            },
            wallet,
        ),
        Some(amount) => top_up(&wallet, amount, context)?,
    };
    changes.device = Some(open.device.clone());
    Ok((changes, wallet))
}

pub(super) fn decide_amend(set: &WorkingSet, amend: &AmendWallet) -> Decision {
    reply(amend_wallet(set, amend))
}

fn amend_wallet(set: &WorkingSet, amend: &AmendWallet) -> Decided {
    let wallet = find(set, amend.wallet)?;
    let limits = WalletLimits {
        per_payment: amend
            .limits
            .per_payment
            .unwrap_or(wallet.limits.per_payment),
        per_day: amend.limits.per_day.unwrap_or(wallet.limits.per_day),
        per_month: amend.limits.per_month.unwrap_or(wallet.limits.per_month),
    };
    let own = wallet.inst.currency();
    let all = [limits.per_payment, limits.per_day, limits.per_month];
    if all.iter().flatten().any(|limit| limit.currency() != own) {
        return Err(WalletRefusal::CurrencyDiffers);
    }
    let wallet = Wallet {
        state: amend.state.unwrap_or(wallet.state),
        confirmation: amend.confirmation.unwrap_or(wallet.confirmation),
        limits,
        ..wallet.clone()
    };
    Ok((
        Changes {
            wallet: Some(wallet.clone()),
            ..Changes::default()
        },
        wallet,
    ))
}

pub(super) fn decide_top_up(set: &WorkingSet, command: &TopUp, context: &Context<'_>) -> Decision {
    reply(find(set, command.wallet).and_then(|wallet| top_up(wallet, command.amount, context)))
}

fn top_up(wallet: &Wallet, amount: Amount, context: &Context<'_>) -> Decided {
    if amount.currency() != wallet.inst.currency() {
        return Err(WalletRefusal::CurrencyDiffers);
    }
    let balance = wallet
        .balance
        .checked_add(amount.money())
        .map_err(WalletRefusal::Money)?;
    let event = context
        .event_id(0)
        .ok_or(WalletRefusal::Money(MoneyError::Overflow))?;
    let mut entries = EventEntries::new(event, None);
    entries.add(
        Account::TopUpClearing,
        Account::Wallet(wallet.id),
        amount.money(),
        Cause::TopUp,
    );
    let wallet = Wallet {
        balance,
        ..wallet.clone()
    };
    let changes = Changes {
        wallet: Some(wallet.clone()),
        entries: entries.entries,
        ..Changes::default()
    };
    Ok((changes, wallet))
}

pub(super) fn decide_alias(set: &WorkingSet, device: &Device) -> Decision {
    let wallet = match find(set, device.wallet) {
        Ok(_) if set.has_alias(device.alias) => return reply(Err(WalletRefusal::AliasTaken)),
        Ok(wallet) => wallet.clone(),
        Err(refusal) => return reply(Err(refusal)),
    };
    reply(Ok((
        Changes {
            device: Some(device.clone()),
            ..Changes::default()
        },
        wallet,
    )))
}

fn find(set: &WorkingSet, id: WalletId) -> Result<&Wallet, WalletRefusal> {
    set.wallet(id).ok_or(WalletRefusal::Unknown)
}
