//! Money back: what a merchant asks for, what comes of it, and the numbers of the last resort.

use spotpay_core::id::{PartnerRefundId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::refund::RefundMode;
use spotpay_wire::code::{DISCORDANT_REPEAT_REQUEST, MERCHANT_BALANCE_NOT_ENOUGH};
use spotpay_wire::form::Form;
use spotpay_wire::pay::Conversion;
use spotpay_wire::refund;
use spotpay_wire::refusal::ParseRefusal;
use spotpay_wire::trade_no::TradeNo;

use crate::call::Call;
use crate::outcome::Refusal;
use crate::settings::Settings;

/// What a merchant wants to give back.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RefundOrder {
    /// The partner's number for the trade.
    pub partner_trans_id: PartnerTransId,
    /// The partner's number for the refund: new for each refund, the same for each repeat, and never
    /// that of the trade.
    pub partner_refund_id: PartnerRefundId,
    /// How much; several refunds may add up to the payment.
    pub amount: Amount,
    /// Now, or by the gateway's batch.
    pub mode: RefundMode,
    /// The gateway's number for the trade, when it is to be checked too.
    pub alipay_trans_id: Option<TradeNo>,
    /// Why, in the merchant's words.
    pub reason: Option<Box<str>>,
    /// Where the merchant wants to hear that an asynchronous refund is done.
    pub notify_url: Option<Box<str>>,
}

impl RefundOrder {
    /// A refund that is done or refused at once.
    pub const fn new(
        partner_trans_id: PartnerTransId,
        partner_refund_id: PartnerRefundId,
        amount: Amount,
    ) -> Self {
        Self {
            partner_trans_id,
            partner_refund_id,
            amount,
            mode: RefundMode::Sync,
            alipay_trans_id: None,
            reason: None,
            notify_url: None,
        }
    }

    /// Why a gateway would refuse the request as it stands, whatever the trade: a number that is the
    /// trade's, too long a reason, a `notify_url` that is none.
    pub fn check(&self, settings: &Settings) -> Result<(), ParseRefusal> {
        let params = self.request(settings);
        refund::Request::parse(&Form::from_pairs(settings.charset, params.params()))?;
        Ok(())
    }

    /// The call that asks for it.
    pub fn call(&self, settings: &Settings) -> Call {
        Call::Refund(Box::new(self.request(settings)))
    }

    pub(crate) fn request(&self, settings: &Settings) -> refund::Request {
        refund::Request {
            partner: settings.partner,
            partner_trans_id: self.partner_trans_id.clone(),
            alipay_trans_id: self.alipay_trans_id.clone(),
            partner_refund_id: self.partner_refund_id.clone(),
            amount: self.amount,
            reason: self.reason.clone(),
            mode: self.mode,
            notify_url: self.notify_url.clone(),
        }
    }
}

/// A refund that was not refused. Accepted is not refunded: the batch may yet find the merchant's
/// funds short.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refunding {
    /// Synchronous: the money is back.
    Refunded(Box<RefundReceipt>),
    /// Asynchronous: a notification or [`crate::Client::refund_query`] tells when it is back.
    Accepted(Box<RefundReceipt>),
}

impl Refunding {
    /// The numbers.
    pub fn receipt(&self) -> &RefundReceipt {
        match self {
            Self::Refunded(receipt) | Self::Accepted(receipt) => receipt,
        }
    }
}

/// The numbers of a refund.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct RefundReceipt {
    /// The partner's number for the trade.
    pub partner_trans_id: PartnerTransId,
    /// The gateway's number for the trade.
    pub alipay_trans_id: TradeNo,
    /// The partner's number for the refund.
    pub partner_refund_id: PartnerRefundId,
    /// How much.
    pub amount: Amount,
    /// What it is in CNY: standard contracts.
    pub conversion: Option<Conversion>,
}

impl From<refund::Refunded> for RefundReceipt {
    fn from(done: refund::Refunded) -> Self {
        Self {
            partner_trans_id: done.partner_trans_id,
            alipay_trans_id: done.alipay_trans_id,
            partner_refund_id: done.partner_refund_id,
            amount: done.amount,
            conversion: done.conversion,
        }
    }
}

/// Whether a refusal is for good under its number, so that another try needs another number: the
/// gateway keeps a failed refund, or has another refund under the number.
pub(crate) fn is_spent(refusal: &Refusal) -> bool {
    refusal.is(MERCHANT_BALANCE_NOT_ENOUGH) || refusal.is(DISCORDANT_REPEAT_REQUEST)
}

/// The full refund of a checkout that can no longer be cancelled, as the journal knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LastResort {
    /// The number that the refund is sent under, on every repeat.
    pub partner_refund_id: PartnerRefundId,
    /// Which number of the checkout this is, from 1.
    pub attempt: u32,
    /// The gateway refused it for good under this number.
    pub spent: bool,
}

impl LastResort {
    /// Under a number that is about to be sent.
    pub const fn new(partner_refund_id: PartnerRefundId, attempt: u32) -> Self {
        Self {
            partner_refund_id,
            attempt,
            spent: false,
        }
    }

    /// What a checkout sends next, after what its journal knows of.
    pub(crate) fn after(id: &PartnerTransId, noted: Option<&Self>) -> Option<Self> {
        match noted {
            Some(noted) if !noted.spent => Some(noted.clone()),
            Some(spent) => Self::numbered(id, spent.attempt.checked_add(1)?),
            None => Self::numbered(id, 1),
        }
    }

    /// A number that follows from that of the trade: a till that lost its journal gives back under
    /// the same number as before. It fits into 64 characters and is never that of the trade.
    fn numbered(id: &PartnerTransId, attempt: u32) -> Option<Self> {
        const ENDING_MAX: usize = "-UNDO-4294967295".len();
        /// Characters of a trade's number that is kept as a whole.
        const WHOLE_MAX: usize = 64 - ENDING_MAX;
        /// What is kept of a longer one, so that with a check sum and the ending it gets shorter
        /// than any of them.
        const KEPT: usize = WHOLE_MAX - ENDING_MAX - "-0123456789abcdef".len();
        let text = id.as_str();
        let stem = if text.chars().count() <= WHOLE_MAX {
            text.to_owned()
        } else {
            let kept: String = text.chars().take(KEPT).collect();
            format!("{kept}-{:016x}", check_sum(text))
        };
        let number = format!("{stem}-UNDO-{attempt}").parse().ok()?;
        Some(Self::new(number, attempt))
    }
}

/// FNV-1a of 64 bits: the same on every machine and in every version.
fn check_sum(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use spotpay_core::money::{Currency, Money};

    fn number(trade: &str, attempt: u32) -> String {
        let id: PartnerTransId = trade.parse().unwrap();
        let found = LastResort::numbered(&id, attempt).unwrap();
        assert_ne!(found.partner_refund_id.as_str(), trade);
        found.partner_refund_id.to_string()
    }

    // Goal: the numbers are for ever: a till of tomorrow must find those of today.
    #[test]
    fn numbers() {
        let long = "x".repeat(63);
        assert_eq!(number("T1", 1), "T1-UNDO-1");
        assert_eq!(number("茶 1", 4_294_967_295), "茶 1-UNDO-4294967295");
        assert_eq!(
            number(&"x".repeat(48), 2),
            format!("{}-UNDO-2", "x".repeat(48))
        );
        let first = number(&format!("{long}1"), 1);
        assert_eq!(first, "xxxxxxxxxxxxxxx-b96a21cbb56d574a-UNDO-1");
        assert_ne!(first, number(&format!("{long}2"), 1));
        for (trade, attempt) in [
            ("x".repeat(49), u32::MAX),
            ("茶".repeat(64), u32::MAX),
            (format!("{} {}", "y".repeat(30), "y".repeat(30)), 1),
        ] {
            let found = number(&trade, attempt);
            assert!(found.chars().count() <= 64, "{found}");
        }
    }

    // Goal: what no gateway would take is named before it is sent.
    #[test]
    fn checks() {
        let gateway = "http://gateway.test/gateway.do".parse().unwrap();
        let key = "0123456789abcdefghijklmnopqrstuv";
        let settings = Settings::md5(gateway, "2088000000000001".parse().unwrap(), key).unwrap();
        let amount = Money::parse_major("10", Currency::HKD).and_then(Amount::new);
        let good = RefundOrder::new(
            "T1".parse().unwrap(),
            "R1".parse().unwrap(),
            amount.unwrap(),
        );
        let check = |change: &dyn Fn(&mut RefundOrder)| {
            let mut order = good.clone();
            change(&mut order);
            order.check(&settings).err().map(|error| error.to_string())
        };
        assert_eq!(check(&|_| {}), None);
        let same = check(&|order| order.partner_refund_id = "T1".parse().unwrap());
        assert_eq!(
            same.as_deref(),
            Some("partner_refund_id is \"T1\"; it must be another number than partner_trans_id")
        );
        let url = check(&|order| order.notify_url = Some("host".into()));
        assert!(url.unwrap().starts_with("notify_url is"));
        let reason = check(&|order| order.reason = Some("x".repeat(129).into()));
        assert!(reason.unwrap().contains("at most 128 characters"));
    }

    // Goal: the same number until it is spent, then the next.
    #[test]
    fn the_next_number() {
        let id: PartnerTransId = "T1".parse().unwrap();
        let next = |noted: Option<&LastResort>| LastResort::after(&id, noted).unwrap();
        let first = next(None);
        assert_eq!(next(Some(&first)), first);
        let spent = LastResort {
            spent: true,
            ..first
        };
        assert_eq!(next(Some(&spent)).partner_refund_id.as_str(), "T1-UNDO-2");
        let last = LastResort {
            attempt: u32::MAX,
            ..spent
        };
        assert_eq!(LastResort::after(&id, Some(&last)), None);
    }
}
