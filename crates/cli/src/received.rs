//! What is said of a notification that came.

use serde::Serialize;
use serde_json::{Map, Value, json};
use spotpay_client::notify::{Event, Handled, Handler, MemorySeen, NotifyRefusal, TradeEnd};
use spotpay_client::{Charset, PartnerId};
use spotpay_wire::autopsy::{Evidence, examine};
use spotpay_wire::notification::Notification;

use crate::merchant::Keys;

/// Reads the notifications of a partner.
pub(crate) struct Reader {
    handler: Handler<MemorySeen>,
    charset: Charset,
    keys: Keys,
}

/// What `listen` and `notify verify` print with `--json`.
#[derive(Serialize)]
pub(crate) struct Received {
    pub(crate) verified: bool,
    /// Whether it came before.
    repeated: bool,
    error: Option<String>,
    likely_mistake: Option<String>,
    event: Option<Value>,
    fields: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reply: Option<String>,
}

pub(crate) fn charset(text: &str) -> Result<Charset, String> {
    Charset::from_label(text).ok_or_else(|| "a charset is UTF-8, GBK or GB2312".to_owned())
}

impl Reader {
    pub(crate) fn new(partner: PartnerId, charset: Charset, keys: Keys) -> Self {
        let handler = Handler::of(partner, charset, MemorySeen::new());
        let verifiers = keys.verifiers().into_iter();
        Self {
            handler: verifiers.fold(handler, Handler::with_verifier),
            charset,
            keys,
        }
    }

    /// Looks at one, and remembers that it came.
    pub(crate) fn read(&self, body: &[u8]) -> Received {
        let handled = self.handler.handle(body);
        let reply = handled.reply.to_owned();
        Received {
            reply: Some(reply),
            ..self.describe(body, &handled)
        }
    }

    fn describe(&self, body: &[u8], handled: &Handled) -> Received {
        let notification = Notification::read(self.charset, body);
        let fields = notification.form().iter();
        let fields = fields.map(|(name, value)| (name.to_owned(), value.into()));
        let verified = handled.refusal.is_none();
        let likely_mistake = match &handled.refusal {
            Some(NotifyRefusal::BadSignature) => {
                let evidence = Evidence::notification(self.charset, body);
                examine(&evidence, &self.keys.ring()).summary()
            }
            Some(_) | None => None,
        };
        Received {
            verified,
            repeated: verified && handled.event.is_none(),
            error: handled.refusal.as_ref().map(ToString::to_string),
            likely_mistake,
            event: handled.event.as_ref().map(event_json),
            fields: fields.collect(),
            reply: None,
        }
    }
}

fn event_json(event: &Event) -> Value {
    match event {
        Event::Trade(trade) => json!({
            "type": "trade",
            "notify_id": trade.notify_id,
            "partner_trans_id": trade.out_trade_no.as_str(),
            "alipay_trans_id": trade.trade_no.as_str(),
            "state": match trade.end {
                TradeEnd::Paid { .. } => "TRADE_SUCCESS",
                TradeEnd::Closed { .. } => "TRADE_CLOSED",
            },
            "amount": trade.amount.money().major(),
            "currency": trade.amount.currency().code(),
        }),
        Event::Refund(refund) => json!({
            "type": "refund",
            "notify_id": refund.notify_id,
            "partner_trans_id": refund.out_trade_no.as_str(),
            "partner_refund_id": refund.out_return_no.as_str(),
            "alipay_trans_id": refund.trade_no.as_str(),
            "state": "REFUNDED",
            "amount": refund.amount.money().major(),
            "currency": refund.amount.currency().code(),
        }),
    }
}

impl Received {
    /// The same for people.
    pub(crate) fn line(&self) -> String {
        let mut line = match (&self.error, self.repeated) {
            (Some(error), _) => format!("not believed: {error}"),
            (None, true) => "verified, a repeat".to_owned(),
            (None, false) => "verified".to_owned(),
        };
        if let Some(mistake) = &self.likely_mistake {
            line.push_str(&format!("\n  {mistake}"));
        }
        for (name, value) in &self.fields {
            let value = value.as_str().unwrap_or_default();
            line.push_str(&format!("\n  {name}={}", value.escape_debug()));
        }
        if let Some(reply) = &self.reply {
            line.push_str(&format!("\n  answered {reply:?}"));
        }
        line
    }
}

#[cfg(test)]
#[path = "received_tests.rs"]
pub(crate) mod tests;
