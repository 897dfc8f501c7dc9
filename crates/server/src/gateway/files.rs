//! The files of some days over HTTP: request in, text out (`spec/07`).

use spotpay_core::settlement::FileKind;
use spotpay_wire::code::{self, WireCode};
use spotpay_wire::form::Form;
use spotpay_wire::http_file;

use super::answer::Said;
use super::{Call, Exchange, refused};
use crate::engine::Health;
use crate::jobs;

pub(super) async fn serve(call: &Call<'_>, kind: FileKind, exchange: &mut Exchange) -> Said {
    let request = match http_file::Request::parse(kind, call.form) {
        Ok(request) => request,
        Err(refusal) => return refused(call.form, &refusal, exchange, malformed),
    };
    // A day that is not over would come out otherwise the next time.
    if request.last >= call.app.clock.now().business_date() {
        exchange.reason = Some(format!("end_date is {}, which is not over", request.last));
        return Said::Rejected(code::ILLEGAL_ARGUMENT);
    }
    match call.app.engine.health() {
        Health::Ready => {}
        Health::InDoubt => return Said::Rejected(code::SYSTEM_ERROR),
    }
    match jobs::text(call.app, request, call.form.answer_charset()).await {
        Ok(Some(text)) => Said::File(text),
        Ok(None) => {
            let most = jobs::ROWS_MAX;
            exchange.reason = Some(format!("these days have more than {most} rows"));
            Said::Rejected(code::ILLEGAL_ARGUMENT)
        }
        Err(error) => {
            tracing::error!(%error, "a file could not be told over HTTP");
            Said::Rejected(code::SYSTEM_ERROR)
        }
    }
}

/// A text has no place for a business error, so that a malformed value is the gateway's complaint.
fn malformed(_form: &Form, _code: WireCode) -> Said {
    Said::Rejected(code::ILLEGAL_ARGUMENT)
}
