//! A trade: one payment from its first request to its final state.

use sha2::{Digest, Sha256};

use crate::fx::RateTable;
use crate::id::{
    EventId, PartnerId, PartnerTransId, SecondaryMerchantId, StoreId, TradeId, WalletId, bucket_of,
};
use crate::money::{Amount, Currency, FxRate, Money, MoneyError, Rounding};
use crate::partner::CommissionOnRefund;
use crate::payment_code::CodeTag;
use crate::shop::ShopKey;
use crate::time::{CivilDate, Span, Timestamp};
use crate::wallet::PaymentInst;

/// A trade that waits is closed after this time (`spec/09`, timers).
pub const WAITING: Span = Span::minutes(3);

/// The partner's key of a trade: what a repeat repeats.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TradeKey {
    /// Who calls.
    pub partner: PartnerId,
    /// Its number for the trade.
    pub id: PartnerTransId,
}

impl TradeKey {
    /// The shard of the trade's rows.
    pub fn bucket(&self) -> u16 {
        bucket_of(self.partner, self.id.as_str())
    }
}

/// What a repeat must have in common with the trade: a digest of amount, currencies, seller,
/// secondary merchant and store (`spec/13`, 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The digest of what a repeat must have in common.
    pub fn of(
        amount: Amount,
        list_currency: Option<Currency>,
        seller: PartnerId,
        merchant: &SecondaryMerchantId,
        store: &StoreId,
    ) -> Self {
        let mut digest = Sha256::new();
        digest.update(amount.money().minor().to_be_bytes());
        digest.update(amount.currency().numeric().to_be_bytes());
        digest.update(list_currency.map_or(0, Currency::numeric).to_be_bytes());
        digest.update(seller.number().to_be_bytes());
        for text in [merchant.as_str(), store.as_str()] {
            digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(text.as_bytes());
        }
        Self(digest.finalize().first_chunk().copied().unwrap_or_default())
    }
}

/// How a partner's request was written, sign type and charset, as wire numbers it: what is sent
/// later about it is written the same way. Core keeps it and does not look inside.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Dialect(pub u8);

/// How a conversion was done; it holds for the life of the trade (`spec/13`, 12).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Conversion {
    /// The buyer's currency for one unit of the price's.
    pub rate: FxRate,
    /// What the buyer gives.
    pub buyer_amount: Amount,
}

impl Conversion {
    /// The conversion of a price for a wallet, by the rates of a date; `None` without a rate.
    ///
    /// # Errors
    /// An amount beyond 64 bits.
    pub fn of(
        amount: Amount,
        inst: PaymentInst,
        rates: &RateTable,
        date: CivilDate,
    ) -> Result<Option<Self>, MoneyError> {
        let Some(rate) = rates.on(amount.currency(), inst.currency(), date) else {
            return Ok(None);
        };
        let buyer_amount = rate.convert(amount, inst.currency(), Rounding::HalfUp)?;
        Ok(Some(Self { rate, buyer_amount }))
    }
}

/// That a trade was paid, and what of it went back since.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payment {
    /// When.
    pub at: Timestamp,
    /// The event of its entries.
    pub event: EventId,
    /// Our share, in the price's currency.
    pub commission: Money,
    /// What went back so far, in the price's currency.
    pub refunded: Money,
    /// The same, in the buyer's currency.
    pub refunded_buyer: Money,
    /// What of our share went back.
    pub commission_returned: Money,
    /// Refunds that are accepted and not yet worked off, in the price's currency: they count
    /// against the rest (`spec/13`, 8).
    pub refund_pending: Money,
}

/// A part of a payment on its way back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slice {
    /// In the price's currency.
    pub price: Money,
    /// In the buyer's currency.
    pub buyer: Money,
    /// What of our share comes with it, in the price's currency.
    pub commission: Money,
}

impl Payment {
    /// What no refund asked for yet.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn left(self, trade: &Trade) -> Result<Money, MoneyError> {
        let price = trade.amount.money();
        price
            .checked_sub(self.refunded)?
            .checked_sub(self.refund_pending)
    }

    /// What goes back when so much more of the price does: shares of the whole payment, so that
    /// several parts give exactly what one would (`spec/13`, 12).
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn slice(
        self,
        trade: &Trade,
        price: Money,
        commission: CommissionOnRefund,
    ) -> Result<Slice, MoneyError> {
        let whole = trade.amount.money();
        let after = self.refunded.checked_add(price)?;
        let part = |of: Money| {
            let before = of.share(self.refunded, whole, Rounding::HalfUp)?;
            of.share(after, whole, Rounding::HalfUp)?
                .checked_sub(before)
        };
        Ok(Slice {
            price,
            buyer: part(trade.buyer_amount().money())?,
            commission: match commission {
                CommissionOnRefund::Kept => Money::zero(whole.currency()),
                CommissionOnRefund::Returned => part(self.commission)?,
            },
        })
    }

    /// The payment once a slice went back.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn without(self, slice: &Slice) -> Result<Self, MoneyError> {
        Ok(Self {
            refunded: self.refunded.checked_add(slice.price)?,
            refunded_buyer: self.refunded_buyer.checked_add(slice.buyer)?,
            commission_returned: self.commission_returned.checked_add(slice.commission)?,
            ..self
        })
    }

    /// All that is left of a payment, our share included: what a cancel gives back.
    ///
    /// # Errors
    /// A sum beyond 64 bits.
    pub fn rest(self, trade: &Trade) -> Result<Slice, MoneyError> {
        Ok(Slice {
            price: trade.amount.money().checked_sub(self.refunded)?,
            buyer: trade
                .buyer_amount()
                .money()
                .checked_sub(self.refunded_buyer)?,
            commission: self.commission.checked_sub(self.commission_returned)?,
        })
    }
}

/// How a partner asked for a cancel; the transaction file tells them apart (`spec/13`, 26).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CancelName {
    /// `alipay.acquire.cancel`.
    Cancel,
    /// `alipay.acquire.overseas.spot.cancel`.
    SpotCancel,
    /// `alipay.acquire.overseas.spot.reverse`.
    Reverse,
}

/// Why a trade is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CloseCause {
    /// Nobody confirmed it in time.
    Expired,
    /// Its buyer said no.
    Declined,
    /// Its partner took it back.
    Cancelled(CancelName),
    /// All of it was refunded.
    Refunded,
}

/// Where a trade is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TradeState {
    /// Its buyer must confirm; nothing is held (`spec/13`, 3).
    Waiting,
    /// The money moved.
    Paid(Payment),
    /// Final: no money is taken, or all of it went back.
    Closed {
        /// When.
        at: Timestamp,
        /// Why.
        cause: CloseCause,
        /// What had been paid.
        payment: Option<Payment>,
    },
}

/// One payment, from first request to final state.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trade {
    /// Our number.
    pub id: TradeId,
    /// The partner's.
    pub key: TradeKey,
    /// The price.
    pub amount: Amount,
    /// Whose code was scanned.
    pub wallet: WalletId,
    /// The type of that wallet.
    pub inst: PaymentInst,
    /// For a buyer in another currency, and for every trade of a standard contract.
    pub conversion: Option<Conversion>,
    /// Where it took place.
    pub shop: ShopKey,
    /// The till, where the partner names it.
    pub terminal: Option<Box<str>>,
    /// What the buyer reads in the bill.
    pub title: Box<str>,
    /// The partner's note.
    pub memo: Option<Box<str>>,
    /// Where the partner wants to hear of it.
    pub notify_url: Option<Box<str>>,
    /// How its request was written.
    pub dialect: Dialect,
    /// What a repeat must have in common.
    pub content: ContentHash,
    /// The code that was scanned.
    pub code: CodeTag,
    /// Where it is in its life.
    pub state: TradeState,
}

impl Trade {
    /// When it was made, to the second.
    pub const fn created_at(&self) -> Timestamp {
        self.id.at()
    }

    /// The instant from which it counts as closed when it still waits.
    pub const fn waits_until(&self) -> Timestamp {
        self.created_at().plus(WAITING)
    }

    /// Whether its time is over and nobody has closed it yet.
    pub fn waits_in_vain(&self, now: Timestamp) -> bool {
        self.state == TradeState::Waiting && self.waits_until() <= now
    }

    /// The state as it must be decided upon at an instant: waiting past its time is closed, whether
    /// the timer ran or not. Whoever tells it stores it first.
    pub fn state_at(&self, now: Timestamp) -> TradeState {
        match self.state {
            TradeState::Waiting if self.waits_in_vain(now) => TradeState::Closed {
                at: self.waits_until(),
                cause: CloseCause::Expired,
                payment: None,
            },
            TradeState::Waiting | TradeState::Paid(_) | TradeState::Closed { .. } => self.state,
        }
    }

    /// What the buyer gives, in the wallet's currency.
    pub fn buyer_amount(&self) -> Amount {
        match self.conversion {
            Some(conversion) if self.inst.currency() != self.amount.currency() => {
                conversion.buyer_amount
            }
            Some(_) | None => self.amount,
        }
    }

    /// What was paid, if it was.
    pub const fn payment(&self) -> Option<Payment> {
        match self.state {
            TradeState::Waiting => None,
            TradeState::Paid(payment) => Some(payment),
            TradeState::Closed { payment, .. } => payment,
        }
    }
}

/// A partner's number for which a cancel came and no pay had: a later pay is refused (`spec/13`, 4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClosedMark {
    /// A number of ours, never told: it keeps the row's place in time.
    pub id: TradeId,
    /// The partner's number.
    pub key: TradeKey,
    /// When the cancel came.
    pub at: Timestamp,
}

/// What stands under a partner's number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Slot {
    /// A trade.
    Trade(Box<Trade>),
    /// The mark of a cancel that came first.
    Mark(ClosedMark),
}
