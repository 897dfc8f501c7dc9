//! Registration of stores and its state: request in, what is said out (`spec/08`).

use spotpay_core::command::Command;
use spotpay_core::decide::{Reply, StoreRefusal};
use spotpay_core::registration::StoreKey;
use spotpay_core::time::{Span, Timestamp};
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::form::Form;
use spotpay_wire::store_query::PaymentMethod;
use spotpay_wire::{store, store_query};

use super::answer::Said;
use super::{Call, Exchange, refused};
use crate::app::App;
use crate::engine::Health;

/// How old or early a request's `timestamp` may be (`spec/08`).
const LIFE: Span = Span::minutes(30);

/// Whether a request's `timestamp` is of now, by the sandbox's clock or the real one (`spec/13`, 16).
fn is_fresh(app: &App, timestamp: Timestamp) -> bool {
    let near = |clock: Timestamp| clock.minus(LIFE) <= timestamp && timestamp <= clock.plus(LIFE);
    near(app.clock.now()) || near(app.clock.real())
}

pub(super) async fn serve(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let request = match store::Request::parse(call.form) {
        Ok(request) => request,
        Err(refusal) => return refused(call.form, &refusal, exchange, malformed),
    };
    if !is_fresh(call.app, request.timestamp) {
        exchange.reason = Some("timestamp is not within 30 minutes of now".to_owned());
        return failed(code::PARAM_ILLEGAL);
    }
    // The default store's names are the partner's own terms: changes of those take turns.
    let _turn = call.app.partner_changes.lock().await;
    let command = Command::RegisterStore(Box::new(request.data));
    match call.app.engine.submit(command).await {
        Ok(Reply::Store(Ok(_))) => Said::Store(store::Answer::Success),
        Ok(Reply::Store(Err(refusal))) => {
            exchange.reason = Some(format!("{refusal:?}"));
            failed(code_of(refusal))
        }
        Ok(_) | Err(_) => Said::Rejected(code::SYSTEM_ERROR),
    }
}

/// `spec/13`, 15, and the table of `spec/08`.
const fn code_of(refusal: StoreRefusal) -> WireCode {
    match refusal {
        StoreRefusal::PartnerUnknown => code::ACCESS_FORBIDDEN,
        StoreRefusal::NotInHongKong | StoreRefusal::DriversDiffer => code::PARAM_ILLEGAL,
        StoreRefusal::StoreUnknown | StoreRefusal::IsDefault => code::DATA_NOT_EXIST,
    }
}

fn failed(code: WireCode) -> Said {
    Said::Store(store::Answer::Failed {
        error: code.code.into(),
    })
}

pub(super) fn malformed(_form: &Form, code: WireCode) -> Said {
    failed(code)
}

pub(super) fn serve_query(call: &Call<'_>, exchange: &mut Exchange) -> Said {
    let request = match store_query::Request::parse(call.form) {
        Ok(request) => request,
        Err(refusal) => return refused(call.form, &refusal, exchange, query_malformed),
    };
    if !is_fresh(call.app, request.timestamp) {
        exchange.reason = Some("timestamp is not within 30 minutes of now".to_owned());
        return query_failed(code::PARAM_ILLEGAL);
    }
    match call.app.engine.health() {
        Health::Ready => {}
        Health::InDoubt => return Said::Rejected(code::SYSTEM_ERROR),
    }
    let store_id = match &request.method {
        PaymentMethod::InStore(store_id) => store_id.clone(),
        // Nobody registers online shops here.
        PaymentMethod::Online => return query_failed(code::DATA_NOT_EXIST),
    };
    let key = StoreKey {
        partner: call.partner.id,
        secondary_merchant_id: request.secondary_merchant_id.clone(),
        store_id,
    };
    match call.app.readers.read(|reader| reader.registration(&key)) {
        Ok(Some(found)) => {
            let found = store_query::Found {
                secondary_merchant_id: request.secondary_merchant_id,
                method: request.method,
                state: found.state,
            };
            Said::StoreQuery(store_query::Answer::Found(Box::new(found)))
        }
        Ok(None) => query_failed(code::DATA_NOT_EXIST),
        Err(error) => Said::fault(&error),
    }
}

fn query_failed(code: WireCode) -> Said {
    Said::StoreQuery(store_query::Answer::Failed {
        error: code.code.into(),
    })
}

pub(super) fn query_malformed(_form: &Form, code: WireCode) -> Said {
    query_failed(code)
}
