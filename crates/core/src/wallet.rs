//! The wallet: a balance, what its holder allows, and what was spent lately.

use std::fmt;
use std::str::FromStr;

use crate::id::WalletId;
use crate::money::{Amount, Currency, Money, MoneyError};
use crate::payment_code::{Alias, CodeSecret, CodesUsed};
use crate::time::CivilDate;

/// Which wallet pays, as `payment_inst` names it on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PaymentInst {
    /// A Hong Kong wallet, in HKD.
    AlipayHk,
    /// A mainland wallet, in CNY.
    AlipayCn,
}

impl PaymentInst {
    /// The wire name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AlipayHk => "ALIPAYHK",
            Self::AlipayCn => "ALIPAYCN",
        }
    }

    /// The currency of its balance.
    pub const fn currency(self) -> Currency {
        match self {
            Self::AlipayHk => Currency::HKD,
            Self::AlipayCn => Currency::CNY,
        }
    }
}

impl fmt::Display for PaymentInst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not the name of a wallet type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownPaymentInst;

impl fmt::Display for UnknownPaymentInst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is neither ALIPAYHK nor ALIPAYCN")
    }
}

impl std::error::Error for UnknownPaymentInst {}

impl FromStr for PaymentInst {
    type Err = UnknownPaymentInst;

    fn from_str(text: &str) -> Result<Self, UnknownPaymentInst> {
        match text {
            "ALIPAYHK" => Ok(Self::AlipayHk),
            "ALIPAYCN" => Ok(Self::AlipayCn),
            _ => Err(UnknownPaymentInst),
        }
    }
}

/// Whether the wallet may pay.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalletState {
    /// It may.
    Active,
    /// It may not; money given back still arrives.
    Frozen,
}

/// Whether its holder is asked before the debit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Confirmation {
    /// Paying is scanning.
    NotAsked,
    /// Every payment waits for the holder.
    Asked,
}

/// The most that may be spent, in the wallet's currency; `None` is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct WalletLimits {
    /// In one payment.
    pub per_payment: Option<Amount>,
    /// In one business day.
    pub per_day: Option<Amount>,
    /// In one month of business days.
    pub per_month: Option<Amount>,
}

/// Which limit a payment would pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WalletLimit {
    /// One payment's.
    PerPayment,
    /// The day's.
    PerDay,
    /// The month's.
    PerMonth,
}

/// What was spent on the last day on which anything was, and in its month, in minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spent {
    /// The business date.
    pub date: CivilDate,
    /// On that date.
    pub day: Money,
    /// In its month, up to and with that date.
    pub month: Money,
}

impl Spent {
    /// Nothing yet.
    pub const fn nothing(currency: Currency) -> Self {
        Self {
            date: CivilDate::from_days(0),
            day: Money::zero(currency),
            month: Money::zero(currency),
        }
    }

    /// The same, seen from a date: another day begins at zero, another month as well.
    fn on(self, date: CivilDate) -> Self {
        let zero = Money::zero(self.day.currency());
        if date == self.date {
            self
        } else if date.first_of_month() == self.date.first_of_month() {
            Self {
                date,
                day: zero,
                ..self
            }
        } else {
            Self {
                date,
                day: zero,
                month: zero,
            }
        }
    }
}

/// A wallet as decisions see it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wallet {
    /// Its number, and its holder's user id.
    pub id: WalletId,
    /// What people call it.
    pub name: Box<str>,
    /// The holder's masked login, as answers show it.
    pub login: Box<str>,
    /// Its type, and so its currency.
    pub inst: PaymentInst,
    /// What it may spend; never below zero.
    pub balance: Money,
    /// Whether it may pay.
    pub state: WalletState,
    /// Whether its holder is asked.
    pub confirmation: Confirmation,
    /// Its limits.
    pub limits: WalletLimits,
    /// What counts against them.
    pub spent: Spent,
    /// Codes that are spent and could still be shown again.
    pub codes_used: CodesUsed,
}

impl Wallet {
    /// Which limit an amount would pass on a date, the narrowest first.
    ///
    /// # Errors
    /// An amount in another currency, or a sum beyond 64 bits.
    pub fn limit_passed(
        &self,
        amount: Amount,
        date: CivilDate,
    ) -> Result<Option<WalletLimit>, MoneyError> {
        let spent = self.spent.on(date);
        let day = spent.day.checked_add(amount.money())?;
        let month = spent.month.checked_add(amount.money())?;
        let above = |sum: Money, limit: Option<Amount>| {
            limit.is_some_and(|limit| sum.minor() > limit.money().minor())
        };
        Ok(if above(amount.money(), self.limits.per_payment) {
            Some(WalletLimit::PerPayment)
        } else if above(day, self.limits.per_day) {
            Some(WalletLimit::PerDay)
        } else if above(month, self.limits.per_month) {
            Some(WalletLimit::PerMonth)
        } else {
            None
        })
    }

    /// The wallet after a debit, or `None` when it has too little.
    ///
    /// # Errors
    /// An amount in another currency, or a sum beyond 64 bits.
    pub fn debited(&self, amount: Amount, date: CivilDate) -> Result<Option<Self>, MoneyError> {
        let balance = self.balance.checked_sub(amount.money())?;
        if balance.minor() < 0 {
            return Ok(None);
        }
        let spent = self.spent.on(date);
        let spent = Spent {
            day: spent.day.checked_add(amount.money())?,
            month: spent.month.checked_add(amount.money())?,
            ..spent
        };
        Ok(Some(Self {
            balance,
            spent,
            ..self.clone()
        }))
    }

    /// The wallet after money came back from a payment of `paid_on`: it counts against no limit any more.
    ///
    /// # Errors
    /// An amount in another currency, or a sum beyond 64 bits.
    pub fn given_back(&self, amount: Amount, paid_on: CivilDate) -> Result<Self, MoneyError> {
        let less = |sum: Money| {
            sum.checked_sub(amount.money()).map(|rest| {
                if rest.minor() < 0 {
                    Money::zero(rest.currency())
                } else {
                    rest
                }
            })
        };
        let mut spent = self.spent;
        if spent.date == paid_on {
            spent.day = less(spent.day)?;
        }
        if spent.date.first_of_month() == paid_on.first_of_month() {
            spent.month = less(spent.month)?;
        }
        Ok(Self {
            balance: self.balance.checked_add(amount.money())?,
            spent,
            ..self.clone()
        })
    }
}

/// What a phone was given so that it can make codes: never changed, only followed by another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Device {
    /// The nine digits in its codes.
    pub alias: Alias,
    /// Whose codes they are.
    pub wallet: WalletId,
    /// The key of their last digits.
    pub secret: CodeSecret,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hkd(text: &str) -> Amount {
        Amount::new(Money::parse_major(text, Currency::HKD).unwrap()).unwrap()
    }

    fn wallet() -> Wallet {
        Wallet {
            id: WalletId::from_number(1).unwrap(),
            name: "w".into(),
            login: "852****0001".into(),
            inst: PaymentInst::AlipayHk,
            balance: hkd("1000.00").money(),
            state: WalletState::Active,
            confirmation: Confirmation::NotAsked,
            limits: WalletLimits {
                per_payment: Some(hkd("100.00")),
                per_day: Some(hkd("150.00")),
                per_month: Some(hkd("200.00")),
            },
            spent: Spent::nothing(Currency::HKD),
            codes_used: CodesUsed::default(),
        }
    }

    // Goal: each limit is passed by one cent over it, counted per GMT+8 day and month.
    #[test]
    fn limits_count_by_day_and_month() {
        let date = |day| CivilDate::new(2026, 11, day).unwrap();
        let pay = |wallet: &Wallet, text, date| {
            let passed = wallet.limit_passed(hkd(text), date).unwrap();
            match passed {
                Some(limit) => Err(limit),
                None => Ok(wallet.debited(hkd(text), date).unwrap().unwrap()),
            }
        };
        let start = wallet();
        assert_eq!(pay(&start, "100.01", date(1)), Err(WalletLimit::PerPayment));
        let first = pay(&start, "100.00", date(1)).unwrap();
        assert_eq!(pay(&first, "50.01", date(1)), Err(WalletLimit::PerDay));
        let second = pay(&first, "50.00", date(1)).unwrap();
        assert_eq!(pay(&second, "50.01", date(2)), Err(WalletLimit::PerMonth));
        let third = pay(&second, "50.00", date(2)).unwrap();
        assert_eq!(third.balance, hkd("800.00").money());
        assert_eq!(pay(&third, "0.01", date(3)), Err(WalletLimit::PerMonth));
        let december = CivilDate::new(2026, 12, 1).unwrap();
        assert!(
            pay(&third, "100.00", december).is_ok(),
            "a new month begins at zero"
        );
        let back = third.given_back(hkd("50.00"), date(2)).unwrap();
        assert_eq!(
            (back.spent.day.minor(), back.spent.month.minor()),
            (0, 15_000)
        );
        assert!(
            pay(&back, "50.00", date(2)).is_ok(),
            "money given back makes room again"
        );
    }

    #[test]
    fn a_debit_never_goes_below_zero() {
        let all = wallet()
            .debited(hkd("1000.00"), CivilDate::from_days(1))
            .unwrap()
            .unwrap();
        assert!(all.balance.is_zero());
        assert_eq!(all.debited(hkd("0.01"), CivilDate::from_days(1)), Ok(None));
    }
}
