//! Refund and refund query: request in, what is said out (`spec/05`).

use spotpay_core::command::{AskRefund, Command};
use spotpay_core::decide::{RefundDone, RefundRefusal, Reply};
use spotpay_core::id::TradeId;
use spotpay_core::partner::{Partner, Product};
use spotpay_core::refund::{Refund, RefundKey, RefundState};
use spotpay_core::trade::{Slot, TradeKey};
use spotpay_store::StoreError;
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::form::Form;
use spotpay_wire::refund::{About, Answer, Conversion, Refunded, Request};
use spotpay_wire::refund_query::{self, RefundStatus};
use spotpay_wire::trade_no::TradeNo;

use super::answer::Said;
use super::{Call, Exchange, codes, refused};
use crate::engine::Health;

pub(super) async fn serve(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let request = match Request::parse(call.form) {
        Ok(request) => request,
        Err(refusal) => return refused(call.form, &refusal, exchange, malformed),
    };
    let about = request.about();
    let Ok(trade_id) = named_trade(&request) else {
        return failed(code::TRADE_NOT_EXIST, about, None);
    };
    let partner = call.partner.id;
    let trade = TradeKey {
        partner,
        id: request.partner_trans_id,
    };
    let command = AskRefund {
        key: RefundKey {
            partner,
            id: request.partner_refund_id,
        },
        trade: trade.clone(),
        trade_id,
        amount: request.amount,
        mode: request.mode,
        reason: request.reason,
        notify_url: request.notify_url,
        dialect: call.dialect(),
    };
    let outcome = call
        .app
        .engine
        .submit(Command::Refund(Box::new(command)))
        .await;
    match outcome {
        Ok(Reply::Refund(Ok(done))) => success(&done, call.partner),
        Ok(Reply::Refund(Err(refusal))) => {
            exchange.reason = Some(format!("{refusal:?}"));
            let code = codes::refund(refusal);
            match refusal {
                RefundRefusal::Paused | RefundRefusal::Money(_) => Said::Rejected(code),
                RefundRefusal::PartnerUnknown
                | RefundRefusal::ContentDiffers
                | RefundRefusal::CancelledSince
                | RefundRefusal::TradeUnknown
                | RefundRefusal::CurrencyDiffers
                | RefundRefusal::NotPaid
                | RefundRefusal::TooLate
                | RefundRefusal::ExceedsRemaining { .. }
                | RefundRefusal::FundsShort => {
                    match super::resolve::trade_under(call.app, &trade) {
                        Ok(trade) => failed(code, about, trade),
                        Err(error) => Said::fault(&error),
                    }
                }
            }
        }
        // Done or not, the same again tells (`spec/13`, 21).
        Ok(_) | Err(_) => Said::Rejected(code::SYSTEM_ERROR),
    }
}

/// A number of another make leads to no trade here.
struct NoSuchTrade;

fn named_trade(request: &Request) -> Result<Option<TradeId>, NoSuchTrade> {
    request
        .alipay_trans_id
        .as_ref()
        .map(|number| number.ours().ok_or(NoSuchTrade))
        .transpose()
}

pub(super) fn malformed(form: &Form, code: WireCode) -> Said {
    let about = About {
        partner_trans_id: form.get("partner_trans_id").and_then(|id| id.parse().ok()),
        partner_refund_id: form.get("partner_refund_id").and_then(|id| id.parse().ok()),
        ..About::default()
    };
    failed(code, about, None)
}

fn failed(code: WireCode, about: About, trade: Option<TradeId>) -> Said {
    let about = About {
        alipay_trans_id: trade.map(TradeNo::from),
        ..about
    };
    let error = code.code.into();
    Said::Refund(Answer::Failed { error, about }, trade)
}

fn success(done: &RefundDone, partner: &Partner) -> Said {
    let (refund, trade) = (&done.refund, &done.trade);
    let conversion = match partner.contract.product {
        Product::Hk => None,
        Product::Standard => trade.conversion.map(|conversion| Conversion {
            rate: conversion.rate,
            cny: done.buyer_amount,
        }),
    };
    let answer = Answer::Success(Box::new(Refunded {
        partner_trans_id: trade.key.id.clone(),
        alipay_trans_id: trade.id.into(),
        partner_refund_id: refund.key.id.clone(),
        amount: refund.amount,
        conversion,
    }));
    Said::Refund(answer, Some(trade.id))
}

pub(super) fn serve_query(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let request = match refund_query::Request::parse(call.form) {
        Ok(request) => request,
        Err(refusal) => return refused(call.form, &refusal, exchange, query_malformed),
    };
    match call.app.engine.health() {
        Health::Ready => {}
        Health::InDoubt => return Said::Rejected(code::SYSTEM_ERROR),
    }
    match find(call, &request) {
        Ok(Ok(refund)) => found(&refund),
        Ok(Err(code)) => Said::RefundQuery(
            refund_query::Answer::Failed {
                error: code.code.into(),
                out_trade_no: Some(request.out_trade_no),
                out_return_no: Some(request.out_return_no),
            },
            None,
        ),
        Err(error) => Said::fault(&error),
    }
}

/// The trade comes first: a refund is looked for under it only.
fn find(
    call: &Call<'_>,
    request: &refund_query::Request,
) -> Result<Result<Refund, WireCode>, StoreError> {
    let partner = call.partner.id;
    let trade = TradeKey {
        partner,
        id: request.out_trade_no.clone(),
    };
    call.app.readers.read(|reader| {
        match reader.slot(&trade)? {
            Some(Slot::Trade(_)) => {}
            Some(Slot::Mark(_)) | None => return Ok(Err(code::TRADE_NOT_EXIST)),
        }
        let Some(id) = request.refund_id() else {
            return Ok(Err(code::NOT_FOUND));
        };
        let refund = reader.refund(&RefundKey { partner, id })?;
        let own = refund.filter(|refund| refund.trade_key == trade);
        Ok(own.ok_or(code::NOT_FOUND))
    })
}

fn found(refund: &Refund) -> Said {
    let short = Some(code::MERCHANT_BALANCE_NOT_ENOUGH.code.into());
    let (status, error, moved_at) = match refund.state {
        RefundState::Accepted { short: false, .. } => (RefundStatus::Processing, None, None),
        RefundState::Accepted { short: true, .. } => (RefundStatus::Processing, short, None),
        RefundState::Done(moved) => (RefundStatus::Success, None, Some(moved.at)),
        RefundState::FundsShort { .. } => (RefundStatus::Failed, short, None),
        RefundState::Cancelled { .. } => (RefundStatus::Cancelled, None, None),
    };
    let answer = refund_query::Answer::Found(Box::new(refund_query::Found {
        status,
        error,
        out_return_no: refund.key.id.clone(),
        out_trade_no: refund.trade_key.id.clone(),
        trade_no: refund.trade.into(),
        gmt_create: refund.created_at(),
        amount: Some(refund.amount),
        gmt_refund: moved_at,
    }));
    Said::RefundQuery(answer, Some(refund.trade))
}

pub(super) fn query_malformed(form: &Form, code: WireCode) -> Said {
    let answer = refund_query::Answer::Failed {
        error: code.code.into(),
        out_trade_no: form.get("out_trade_no").and_then(|id| id.parse().ok()),
        out_return_no: None,
    };
    Said::RefundQuery(answer, None)
}
