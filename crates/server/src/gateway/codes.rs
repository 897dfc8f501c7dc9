//! The one place where refusals of core become published codes. No wildcard arm, on purpose: a new
//! refusal does not compile until it has a code.

use spotpay_core::decide::{CancelRefusal, PayRefusal, RefundRefusal};
use spotpay_core::shop::ShopRefusal;
use spotpay_core::wallet::WalletLimit;
use spotpay_wire::code::{self, WireCode};

/// `spec/13`, 18 and 2.
pub(super) const fn pay(refusal: PayRefusal) -> WireCode {
    match refusal {
        PayRefusal::PartnerUnknown => code::PARTNER_ERROR,
        PayRefusal::CancelledBefore | PayRefusal::TradeClosed => code::TRADE_HAS_CLOSE,
        PayRefusal::ContentDiffers => code::CONTEXT_INCONSISTENT,
        PayRefusal::BuyerDiffers => code::TRADE_BUYER_NOT_MATCH,
        PayRefusal::CurrencyNotAgreed | PayRefusal::NoRate => {
            code::EXCHANGE_AMOUNT_OR_CURRENCY_ERROR
        }
        PayRefusal::Code(_) => code::SOUNDWAVE_PARSER_FAIL,
        PayRefusal::WalletUnknown => code::BUYER_NOT_EXIST,
        PayRefusal::WalletNotAccepted => code::NOT_SUPPORT_PAYMENT_INST,
        PayRefusal::Shop(ShopRefusal::StoreDataRequired | ShopRefusal::Rejected) => {
            code::PAYMENT_REQUEST_HAS_RISK
        }
        PayRefusal::Shop(ShopRefusal::NotRegistered) => code::INVALID_STORE_ID,
        PayRefusal::WalletFrozen => code::BUYER_ENABLE_STATUS_FORBID,
        PayRefusal::AboveProductLimit => code::PRODUCT_AMOUNT_LIMIT_ERROR,
        PayRefusal::AbovePartnerPaymentLimit
        | PayRefusal::AboveWalletLimit(WalletLimit::PerPayment) => {
            code::BEYOND_PER_RECEIPT_RESTRICTION
        }
        PayRefusal::AbovePartnerDayLimit => code::BEYOND_PAY_RESTRICTION,
        PayRefusal::AboveWalletLimit(WalletLimit::PerDay) => {
            code::BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR
        }
        PayRefusal::AboveWalletLimit(WalletLimit::PerMonth) => {
            code::BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR
        }
        PayRefusal::FundsShort => code::BUYER_BALANCE_NOT_ENOUGH,
        PayRefusal::Money(_) => code::TOTAL_FEE_EXCEED,
    }
}

/// `spec/13`, 5.
pub(super) const fn cancel(refusal: CancelRefusal) -> WireCode {
    match refusal {
        CancelRefusal::TooLate => code::TRADE_CANCEL_TIME_OUT,
        CancelRefusal::Money(_) => code::SYSTEM_ERROR,
    }
}

/// `spec/13`, 20 and 9.
pub(super) const fn refund(refusal: RefundRefusal) -> WireCode {
    match refusal {
        RefundRefusal::PartnerUnknown => code::ACCESS_FORBIDDEN,
        RefundRefusal::ContentDiffers => code::DISCORDANT_REPEAT_REQUEST,
        RefundRefusal::TradeUnknown => code::TRADE_NOT_EXIST,
        RefundRefusal::CurrencyDiffers => code::CURRENCY_NOT_SAME,
        RefundRefusal::NotPaid | RefundRefusal::CancelledSince => code::TRADE_STATUS_ERROR,
        RefundRefusal::TooLate => code::REFUNDMENT_VALID_DATE_EXCEED,
        RefundRefusal::ExceedsRemaining { .. } => code::REFUND_AMT_NOT_EQUAL_TOTAL,
        RefundRefusal::FundsShort => code::MERCHANT_BALANCE_NOT_ENOUGH,
        RefundRefusal::Paused | RefundRefusal::Money(_) => code::SYSTEM_ERROR,
    }
}
