//! One call: typed on this side, signed bytes on the other. No I/O.

use spotpay_core::id::{PartnerRefundId, PartnerTransId};
use spotpay_core::money::Amount;
use spotpay_core::time::Timestamp;
use spotpay_core::trade::CancelName;
use spotpay_wire::{cancel, pay, query, refund, refund_query, store, store_query};

use crate::ask::{self, Cancelled, Wanted};
use crate::outcome::{Outcome, Receipt};
use crate::refunding::Refunding;
use crate::settings::Settings;
use crate::transport::{HttpAnswer, HttpRequest, TransportFailure};

/// A call to the gateway. `Debug` does not print the payment code.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Call {
    /// Take a payment.
    Pay(Box<pay::Request>),
    /// Look at a trade.
    Query {
        /// Whose trade, and which.
        request: query::Request,
        /// What it must cost, when the caller knows.
        amount: Option<Amount>,
    },
    /// Undo a trade.
    Cancel(cancel::Request),
    /// Give money back.
    Refund(Box<refund::Request>),
    /// Look at a refund.
    RefundQuery(refund_query::Request),
    /// Register a store, or say what has changed of it.
    RegisterStore(Box<store::Request>),
    /// Look at a registration.
    StoreStatus(store_query::Request),
}

/// The answer to a call of the same name.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Reply {
    /// To a pay.
    Pay(Outcome<Receipt>),
    /// To a query: it worked; whether the trade is paid says its status.
    Query(Outcome<query::Found>),
    /// To a cancel.
    Cancel(Outcome<Cancelled>),
    /// To a refund: it is done or accepted.
    Refund(Outcome<Refunding>),
    /// To a query of a refund: it worked; what became of the refund says its status.
    RefundQuery(Outcome<refund_query::Found>),
    /// To a registration: it is taken; whether payments may name the store says its status.
    RegisterStore(Outcome<()>),
    /// To a query of a registration.
    StoreStatus(Outcome<store_query::Found>),
}

impl Call {
    /// A query of a trade of ours; an answer with another amount than this one is doubted.
    pub fn query(settings: &Settings, id: &PartnerTransId, amount: Option<Amount>) -> Self {
        Self::Query {
            request: query_of(settings, id),
            amount,
        }
    }

    /// A cancel of a trade of ours, made at an instant. A repeat has the same instant.
    pub fn cancel(settings: &Settings, id: &PartnerTransId, at: Timestamp) -> Self {
        Self::Cancel(cancel_of(settings, id, at))
    }

    /// A query of a refund of ours.
    pub fn refund_query(
        settings: &Settings,
        id: &PartnerTransId,
        refund_id: &PartnerRefundId,
    ) -> Self {
        Self::RefundQuery(refund_query_of(settings, id, refund_id))
    }

    /// The bytes to post.
    pub fn seal(&self, settings: &Settings) -> HttpRequest {
        match self {
            Self::Pay(request) => ask::seal(settings, &**request),
            Self::Query { request, amount } => ask::seal(settings, &Wanted(request, *amount)),
            Self::Cancel(request) => ask::seal(settings, request),
            Self::Refund(request) => ask::seal(settings, &**request),
            Self::RefundQuery(request) => ask::seal(settings, request),
            Self::RegisterStore(request) => ask::seal(settings, &**request),
            Self::StoreStatus(request) => ask::seal(settings, request),
        }
    }

    /// What came back, verified and typed.
    pub fn open(&self, settings: &Settings, answer: Result<HttpAnswer, TransportFailure>) -> Reply {
        match self {
            Self::Pay(request) => Reply::Pay(ask::open(settings, &**request, answer)),
            Self::Query { request, amount } => {
                Reply::Query(ask::open(settings, &Wanted(request, *amount), answer))
            }
            Self::Cancel(request) => Reply::Cancel(ask::open(settings, request, answer)),
            Self::Refund(request) => Reply::Refund(ask::open(settings, &**request, answer)),
            Self::RefundQuery(request) => Reply::RefundQuery(ask::open(settings, request, answer)),
            Self::RegisterStore(request) => {
                Reply::RegisterStore(ask::open(settings, &**request, answer))
            }
            Self::StoreStatus(request) => Reply::StoreStatus(ask::open(settings, request, answer)),
        }
    }
}

pub(crate) fn query_of(settings: &Settings, id: &PartnerTransId) -> query::Request {
    query::Request {
        partner: settings.partner,
        partner_trans_id: Some(id.clone()),
        alipay_trans_id: None,
    }
}

pub(crate) fn cancel_of(
    settings: &Settings,
    id: &PartnerTransId,
    at: Timestamp,
) -> cancel::Request {
    cancel::Request {
        partner: settings.partner,
        name: CancelName::Cancel,
        partner_trans_id: Some(id.clone()),
        trade_no: None,
        timestamp: Some(at),
    }
}

pub(crate) fn refund_query_of(
    settings: &Settings,
    id: &PartnerTransId,
    refund_id: &PartnerRefundId,
) -> refund_query::Request {
    refund_query::Request {
        partner: settings.partner,
        out_trade_no: id.clone(),
        out_return_no: refund_id.as_str().into(),
    }
}
