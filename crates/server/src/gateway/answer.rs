//! What an outcome sounds like on the wire, for each service and both kinds of contract.

use spotpay_core::decide::{CancelAction, CancelDone, PayDone, Reply};
use spotpay_core::id::{PartnerTransId, TradeId, WalletId};
use spotpay_core::money::Amount;
use spotpay_core::partner::{Partner, Product};
use spotpay_core::trade::{CancelName, Trade, TradeState};
use spotpay_core::wallet::PaymentInst;
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::form::Form;
use spotpay_wire::query::TradeStatus;
use spotpay_wire::xml::Fields;
use spotpay_wire::{cancel, pay, query, refund, refund_query, store, store_query};

use super::codes;
use super::resolve::FoundTrade;
use crate::engine::{Fault, Outcome};

/// What will be said.
pub(super) enum Said {
    /// `is_success=F`.
    Rejected(WireCode),
    /// An answer to pay.
    Pay(pay::Answer, Option<TradeId>),
    /// An answer to query.
    Query(query::Answer, Option<TradeId>),
    /// An answer to one of the three cancels.
    Cancel(cancel::Answer, CancelName, Option<TradeId>),
    /// An answer to refund.
    Refund(refund::Answer, Option<TradeId>),
    /// An answer to refund query.
    RefundQuery(refund_query::Answer, Option<TradeId>),
    /// An answer to the registration of a store.
    Store(store::Answer),
    /// An answer to the query of its state.
    StoreQuery(store_query::Answer),
    /// A file in the charset of the answer, which is no XML and not signed.
    File(Vec<u8>),
}

impl Said {
    pub(super) fn fields(&self) -> Fields<'_> {
        match self {
            Self::Rejected(_) | Self::File(_) => Fields::new(),
            Self::Pay(answer, _) => answer.fields(),
            Self::Query(answer, _) => answer.fields(),
            Self::Cancel(answer, name, _) => answer.fields(*name),
            Self::Refund(answer, _) => answer.fields(),
            Self::RefundQuery(answer, _) => answer.fields(),
            Self::Store(answer) => answer.fields(),
            Self::StoreQuery(answer) => answer.fields(),
        }
    }

    /// The trade that it is about.
    pub(super) fn trade(&self) -> Option<TradeId> {
        match self {
            Self::Rejected(_) | Self::Store(_) | Self::StoreQuery(_) | Self::File(_) => None,
            Self::Pay(_, trade)
            | Self::Query(_, trade)
            | Self::Cancel(_, _, trade)
            | Self::Refund(_, trade)
            | Self::RefundQuery(_, trade) => *trade,
        }
    }

    /// `result_code`, for the log.
    pub(super) fn result(&self) -> &'static str {
        match self {
            Self::Rejected(code) => code.code,
            Self::Pay(pay::Answer::Success(_), _)
            | Self::Query(query::Answer::Found(_), _)
            | Self::Cancel(
                cancel::Answer {
                    outcome: cancel::Outcome::Done { .. },
                    ..
                },
                ..,
            )
            | Self::Refund(refund::Answer::Success(_), _)
            | Self::RefundQuery(refund_query::Answer::Found(_), _)
            | Self::Store(store::Answer::Success)
            | Self::StoreQuery(store_query::Answer::Found(_))
            | Self::File(_) => "SUCCESS",
            Self::Pay(pay::Answer::Failed { .. }, _)
            | Self::Refund(refund::Answer::Failed { .. }, _) => "FAILED",
            Self::Query(query::Answer::Failed { .. }, _)
            | Self::RefundQuery(refund_query::Answer::Failed { .. }, _)
            | Self::Store(store::Answer::Failed { .. })
            | Self::StoreQuery(store_query::Answer::Failed { .. })
            | Self::Cancel(
                cancel::Answer {
                    outcome: cancel::Outcome::Failed { .. },
                    ..
                },
                ..,
            ) => "FAIL",
            Self::Pay(pay::Answer::Unknown { .. }, _)
            | Self::Refund(refund::Answer::Unknown { .. }, _) => "UNKNOW",
            Self::Cancel(
                cancel::Answer {
                    outcome: cancel::Outcome::Unknown { .. },
                    ..
                },
                ..,
            ) => "UNKNOWN",
        }
    }

    /// The business error, for the log.
    pub(super) fn error(&self) -> Option<String> {
        match self {
            Self::Rejected(_) | Self::File(_) => None,
            Self::Pay(pay::Answer::Failed { error, .. }, _)
            | Self::Query(query::Answer::Failed { error, .. }, _)
            | Self::Refund(refund::Answer::Failed { error, .. }, _)
            | Self::RefundQuery(refund_query::Answer::Failed { error, .. }, _)
            | Self::Store(store::Answer::Failed { error })
            | Self::StoreQuery(store_query::Answer::Failed { error }) => Some(error.to_string()),
            Self::Pay(pay::Answer::Unknown { error, .. }, _)
            | Self::Refund(refund::Answer::Unknown { error, .. }, _) => {
                error.as_ref().map(ToString::to_string)
            }
            Self::Cancel(answer, ..) => match &answer.outcome {
                cancel::Outcome::Done { .. } => None,
                cancel::Outcome::Failed { error, .. } | cancel::Outcome::Unknown { error } => {
                    Some(error.to_string())
                }
            },
            Self::Pay(pay::Answer::Success(_), _)
            | Self::Query(query::Answer::Found(_), _)
            | Self::Refund(refund::Answer::Success(_), _)
            | Self::RefundQuery(refund_query::Answer::Found(_), _)
            | Self::Store(store::Answer::Success)
            | Self::StoreQuery(store_query::Answer::Found(_)) => None,
        }
    }
}

/// The wallet tag, which HK contracts know (`spec/13`, 11).
fn payment_inst(trade: &Trade, partner: &Partner) -> Option<PaymentInst> {
    match partner.contract.product {
        Product::Hk => Some(trade.inst),
        Product::Standard => None,
    }
}

/// Rate and CNY, which standard contracts know (`spec/00`).
fn conversion(trade: &Trade, partner: &Partner) -> Option<pay::Conversion> {
    match partner.contract.product {
        Product::Hk => None,
        Product::Standard => {
            let conversion = trade.conversion?;
            Some(pay::Conversion {
                rate: conversion.rate,
                cny: conversion.buyer_amount.money(),
            })
        }
    }
}

fn buyer(login: &str, wallet: WalletId) -> pay::Buyer {
    pay::Buyer {
        login_id: login.into(),
        user_id: wallet,
    }
}

pub(super) fn pay_malformed(form: &Form, code: WireCode) -> Said {
    pay_failed(
        form.get("partner_trans_id").and_then(|id| id.parse().ok()),
        code,
    )
}

fn pay_failed(partner_trans_id: Option<PartnerTransId>, code: WireCode) -> Said {
    let answer = pay::Answer::Failed {
        error: code.code.into(),
        partner_trans_id,
        alipay_trans_id: None,
    };
    Said::Pay(answer, None)
}

/// `trade` is the one that stands under the id of a refused pay; the answer names it (`spec/02`).
pub(super) fn pay(
    outcome: Outcome,
    partner: &Partner,
    id: PartnerTransId,
    amount: Amount,
    trade: Option<TradeId>,
) -> Said {
    match outcome {
        Ok(Reply::Pay(Ok(done))) => pay_done(&done, partner),
        Ok(Reply::Pay(Err(refusal))) => {
            let answer = pay::Answer::Failed {
                error: codes::pay(refusal).code.into(),
                partner_trans_id: Some(id),
                alipay_trans_id: trade.map(Into::into),
            };
            Said::Pay(answer, trade)
        }
        Ok(_) | Err(Fault::NothingDone) => Said::Rejected(code::SYSTEM_ERROR),
        Err(Fault::Unknown) => {
            let answer = pay::Answer::Unknown {
                error: Some(code::SYSTEM_ERROR.code.into()),
                partner_trans_id: Some(id),
                alipay_trans_id: None,
                amount: Some(amount),
            };
            Said::Pay(answer, None)
        }
    }
}

fn pay_done(done: &PayDone, partner: &Partner) -> Said {
    let trade = &done.trade;
    let answer = match trade.payment() {
        Some(payment) => pay::Answer::Success(Box::new(pay::Paid {
            partner_trans_id: trade.key.id.clone(),
            alipay_trans_id: trade.id.into(),
            pay_time: payment.at,
            amount: trade.amount,
            buyer: Some(buyer(&done.login, trade.wallet)),
            payment_inst: payment_inst(trade, partner),
            conversion: conversion(trade, partner),
        })),
        // Waiting: the trade's number and no error (`spec/13`, 18).
        None => pay::Answer::Unknown {
            error: None,
            partner_trans_id: Some(trade.key.id.clone()),
            alipay_trans_id: Some(trade.id.into()),
            amount: Some(trade.amount),
        },
    };
    Said::Pay(answer, Some(trade.id))
}

pub(super) fn query_malformed(form: &Form, code: WireCode) -> Said {
    let partner_trans_id = form.get("partner_trans_id").and_then(|id| id.parse().ok());
    Said::Query(
        query::Answer::Failed {
            error: code.code.into(),
            partner_trans_id,
        },
        None,
    )
}

pub(super) fn query(
    found: Option<FoundTrade>,
    partner: &Partner,
    asked: Option<PartnerTransId>,
) -> Said {
    let Some(FoundTrade { trade, wallet }) = found else {
        let error = code::TRADE_NOT_EXIST.code.into();
        return Said::Query(
            query::Answer::Failed {
                error,
                partner_trans_id: asked,
            },
            None,
        );
    };
    let status = match trade.state {
        TradeState::Waiting => TradeStatus::WaitBuyerPay,
        TradeState::Paid(_) => TradeStatus::TradeSuccess,
        TradeState::Closed { .. } => TradeStatus::TradeClosed,
    };
    let answer = query::Answer::Found(Box::new(query::Found {
        partner_trans_id: trade.key.id.clone(),
        alipay_trans_id: trade.id.into(),
        status,
        amount: trade.amount,
        pay_time: trade.payment().map(|payment| payment.at),
        buyer: wallet.map(|wallet| buyer(&wallet.login, wallet.id)),
        payment_inst: payment_inst(&trade, partner),
        conversion: conversion(&trade, partner),
    }));
    Said::Query(answer, Some(trade.id))
}

pub(super) fn cancel_malformed(form: &Form, name: CancelName, code: WireCode) -> Said {
    let names = ["out_trade_no", "partner_trans_id"];
    let id = names
        .into_iter()
        .find_map(|name| form.get(name))
        .and_then(|id| id.parse().ok());
    cancel_failed(name, id, code, false)
}

/// A number of ours that leads nowhere, and no number of the partner's to close instead.
pub(super) fn cancel_unknown(request: &cancel::Request) -> Said {
    cancel_failed(request.name, None, code::TRADE_NOT_EXIST, false)
}

pub(super) fn cancel_failed(
    name: CancelName,
    id: Option<PartnerTransId>,
    code: WireCode,
    may_retry: bool,
) -> Said {
    let outcome = cancel::Outcome::Failed {
        error: code.code.into(),
        may_retry,
    };
    Said::Cancel(
        cancel::Answer {
            partner_trans_id: id,
            trade_no: None,
            outcome,
        },
        name,
        None,
    )
}

pub(super) fn cancel(outcome: Outcome, name: CancelName, id: PartnerTransId) -> Said {
    match outcome {
        Ok(Reply::Cancel(Ok(done))) => cancel_done(&done, name, id),
        Ok(Reply::Cancel(Err(refusal))) => {
            let code = codes::cancel(refusal);
            cancel_failed(name, Some(id), code, code.code == code::SYSTEM_ERROR.code)
        }
        Ok(_) | Err(Fault::NothingDone) => Said::Rejected(code::SYSTEM_ERROR),
        Err(Fault::Unknown) => {
            let outcome = cancel::Outcome::Unknown {
                error: code::SYSTEM_ERROR.code.into(),
            };
            let answer = cancel::Answer {
                partner_trans_id: Some(id),
                trade_no: None,
                outcome,
            };
            Said::Cancel(answer, name, None)
        }
    }
}

fn cancel_done(done: &CancelDone, name: CancelName, id: PartnerTransId) -> Said {
    let (trade, action) = match done {
        CancelDone::Nothing => (None, None),
        CancelDone::Closed {
            trade,
            action: CancelAction::Close,
        } => (Some(trade), Some(cancel::Action::Close)),
        CancelDone::Closed {
            trade,
            action: CancelAction::Refund,
        } => (Some(trade), Some(cancel::Action::Refund)),
    };
    let at = trade.and_then(|trade| match trade.state {
        TradeState::Closed { at, .. } => Some(at),
        TradeState::Waiting | TradeState::Paid(_) => None,
    });
    let number = trade.map(|trade| trade.id);
    let answer = cancel::Answer {
        partner_trans_id: Some(id),
        trade_no: number.map(Into::into),
        outcome: cancel::Outcome::Done { action, at },
    };
    Said::Cancel(answer, name, number)
}

/// The same answer with its result unknown; a service without a word for that hears that the
/// system could not answer.
pub(super) fn unknown(form: &Form, said: Said) -> Said {
    let error = || Some(code::SYSTEM_ERROR.code.into());
    match said {
        Said::Pay(_, trade) => Said::Pay(
            pay::Answer::Unknown {
                error: error(),
                partner_trans_id: form.get("partner_trans_id").and_then(|id| id.parse().ok()),
                alipay_trans_id: None,
                amount: None,
            },
            trade,
        ),
        Said::Cancel(answer, name, trade) => {
            let outcome = cancel::Outcome::Unknown {
                error: code::SYSTEM_ERROR.code.into(),
            };
            Said::Cancel(cancel::Answer { outcome, ..answer }, name, trade)
        }
        Said::Refund(_, trade) => Said::Refund(
            refund::Answer::Unknown {
                error: error(),
                about: refund::About {
                    partner_trans_id: form.get("partner_trans_id").and_then(|id| id.parse().ok()),
                    partner_refund_id: form.get("partner_refund_id").and_then(|id| id.parse().ok()),
                    ..refund::About::default()
                },
            },
            trade,
        ),
        Said::Rejected(_)
        | Said::Query(..)
        | Said::RefundQuery(..)
        | Said::Store(_)
        | Said::StoreQuery(_)
        | Said::File(_) => Said::Rejected(code::SYSTEM_ERROR),
    }
}
