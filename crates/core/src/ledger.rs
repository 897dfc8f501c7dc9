//! The books: accounts, and entries that cannot be unbalanced.

use std::fmt;
use std::str::FromStr;

use crate::id::{EventId, IdError, PartnerId, WalletId};
use crate::money::{Amount, Currency};

/// A place in the books. Each holds several currencies, never mixed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Account {
    /// What a wallet may spend: we owe it to its holder.
    Wallet(WalletId),
    /// What we owe a partner and have not settled.
    PartnerPayable(PartnerId),
    /// What we earned.
    CommissionIncome,
    /// Where a conversion changes currency.
    FxClearing,
    /// Settlement paid out.
    BankClearing,
    /// Money that came in for wallets.
    TopUpClearing,
}

impl Account {
    const KINDS: u64 = 8;

    /// The integer of the store: number x 8 + kind.
    pub fn code(self) -> i64 {
        let (number, kind) = match self {
            Self::Wallet(id) => (id.number(), 1),
            Self::PartnerPayable(id) => (id.number(), 2),
            Self::CommissionIncome => (0, 3),
            Self::FxClearing => (0, 4),
            Self::BankClearing => (0, 5),
            Self::TopUpClearing => (0, 6),
        };
        i64::try_from(number * Self::KINDS + kind).unwrap_or(0)
    }

    /// From the integer of the store.
    pub fn from_code(code: i64) -> Option<Self> {
        let code = u64::try_from(code).ok()?;
        let (number, kind) = (code / Self::KINDS, code % Self::KINDS);
        match (kind, number) {
            (1, _) => WalletId::from_number(number).map(Self::Wallet),
            (2, _) => PartnerId::from_number(number).map(Self::PartnerPayable),
            (3, 0) => Some(Self::CommissionIncome),
            (4, 0) => Some(Self::FxClearing),
            (5, 0) => Some(Self::BankClearing),
            (6, 0) => Some(Self::TopUpClearing),
            _ => None,
        }
    }

    /// The account whose total this one is part of: all wallets together, any other by itself.
    #[must_use]
    pub const fn total(self) -> AccountTotal {
        match self {
            Self::Wallet(_) => AccountTotal::AllWallets,
            Self::PartnerPayable(_)
            | Self::CommissionIncome
            | Self::FxClearing
            | Self::BankClearing
            | Self::TopUpClearing => AccountTotal::One(self),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet(id) => write!(f, "wallet:{id}"),
            Self::PartnerPayable(id) => write!(f, "partner-payable:{id}"),
            Self::CommissionIncome => f.write_str("commission-income"),
            Self::FxClearing => f.write_str("fx-clearing"),
            Self::BankClearing => f.write_str("bank-clearing"),
            Self::TopUpClearing => f.write_str("top-up-clearing"),
        }
    }
}

impl FromStr for Account {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.split_once(':') {
            Some(("wallet", id)) => id.parse().map(Self::Wallet),
            Some(("partner-payable", id)) => id.parse().map(Self::PartnerPayable),
            Some(_) => Err(IdError::Malformed),
            None => match text {
                "commission-income" => Ok(Self::CommissionIncome),
                "fx-clearing" => Ok(Self::FxClearing),
                "bank-clearing" => Ok(Self::BankClearing),
                "top-up-clearing" => Ok(Self::TopUpClearing),
                _ => Err(IdError::Malformed),
            },
        }
    }
}

/// A line of the trial balance. Wallets have their own balances, so one line holds them all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum AccountTotal {
    /// The sum of every wallet.
    AllWallets,
    /// Any other account.
    One(Account),
}

impl AccountTotal {
    /// The integer of the store; the wallets' line is 0.
    pub fn code(self) -> i64 {
        match self {
            Self::AllWallets => 0,
            Self::One(account) => account.code(),
        }
    }

    /// From the integer of the store.
    pub fn from_code(code: i64) -> Option<Self> {
        if code == 0 {
            Some(Self::AllWallets)
        } else {
            Account::from_code(code).map(Self::One)
        }
    }
}

impl fmt::Display for AccountTotal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AllWallets => f.write_str("wallets"),
            Self::One(account) => write!(f, "{account}"),
        }
    }
}

/// Why money moved.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Cause {
    /// Money came into a wallet.
    TopUp,
    /// A trade was paid.
    Payment,
    /// Our share of it.
    Commission,
    /// A trade was cancelled.
    Cancel,
    /// Our share given back with a cancel or a refund.
    CommissionBack,
    /// Part or all of a payment went back.
    Refund,
    /// What a partner is owed was paid out.
    Settlement,
}

impl Cause {
    /// Every cause, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::TopUp,
        Self::Payment,
        Self::Commission,
        Self::Cancel,
        Self::CommissionBack,
        Self::Refund,
        Self::Settlement,
    ];

    /// The integer of the store.
    pub const fn code(self) -> i64 {
        match self {
            Self::TopUp => 1,
            Self::Payment => 2,
            Self::Commission => 3,
            Self::Cancel => 4,
            Self::CommissionBack => 5,
            Self::Refund => 6,
            Self::Settlement => 7,
        }
    }

    /// From the integer of the store.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.code() == code)
    }

    /// The word on pages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TopUp => "top-up",
            Self::Payment => "payment",
            Self::Commission => "commission",
            Self::Cancel => "cancel",
            Self::CommissionBack => "commission back",
            Self::Refund => "refund",
            Self::Settlement => "settlement",
        }
    }
}

/// One move of money. Both sides carry the same amount, so it cannot be unbalanced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// What happened; its entries are numbered from 0.
    pub event: EventId,
    /// The entry's number within the event, below [`Entry::PER_EVENT`].
    pub number: u8,
    /// The trade that it is about; none for a top-up and a settlement.
    pub trade: Option<crate::id::TradeId>,
    /// The account that gives.
    pub debit: Account,
    /// The account that takes.
    pub credit: Account,
    /// How much.
    pub amount: Amount,
    /// Why.
    pub cause: Cause,
}

impl Entry {
    /// The most entries that one event has.
    pub const PER_EVENT: u8 = 4;

    /// The currency that moved.
    pub const fn currency(&self) -> Currency {
        self.amount.currency()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_codes_and_names_lead_back() {
        let wallet = WalletId::from_number(999_999_999_999).unwrap();
        let partner = PartnerId::from_number(0).unwrap();
        for account in [
            Account::Wallet(wallet),
            Account::PartnerPayable(partner),
            Account::CommissionIncome,
            Account::FxClearing,
            Account::BankClearing,
            Account::TopUpClearing,
        ] {
            assert_eq!(Account::from_code(account.code()), Some(account));
            assert_eq!(account.to_string().parse(), Ok(account));
            assert_eq!(
                AccountTotal::from_code(account.total().code()),
                Some(account.total())
            );
        }
        for cause in Cause::ALL {
            assert_eq!(Cause::from_code(cause.code()), Some(cause));
        }
        assert_eq!(
            (
                Account::from_code(0),
                Account::from_code(7),
                Account::from_code(-1)
            ),
            (None, None, None)
        );
    }
}
