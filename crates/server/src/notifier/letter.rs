//! What a notification says: made from the rows at every sending, so that it is the same each time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use spotpay_core::id::WalletId;
use spotpay_core::notification::{Notification, Tidings};
use spotpay_core::partner::{Partner, Product};
use spotpay_core::refund::{Refund, RefundState};
use spotpay_core::time::Timestamp;
use spotpay_core::trade::{Slot, Trade, TradeState};
use spotpay_store::StoreError;
use spotpay_wire::charset::Charset;
use spotpay_wire::dialect;
use spotpay_wire::notification::{
    Buyer, NotifyId, NotifySecret, RefundEvent, TradeEnd, TradeEvent, refund_fields, sign,
    trade_fields,
};
use spotpay_wire::signature::{SignType, Signer};

use crate::app::App;
use crate::faults::NotifyEffect;

/// Why there is nothing to send.
#[derive(Debug, thiserror::Error)]
pub(super) enum LetterError {
    /// The rows cannot be read.
    #[error("the store could not be read")]
    Store(#[from] StoreError),
    /// What it is about is gone, or the partner has no key left.
    #[error("{0}")]
    Nothing(&'static str),
}

type Fields = Vec<(&'static str, String)>;

/// The body of one sending, signed as the request that it is about was.
pub(super) async fn write(
    app: &App,
    notification: &Notification,
    at: Timestamp,
    effect: Option<NotifyEffect>,
) -> Result<String, LetterError> {
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner(notification.partner);
    let entry = entry.ok_or(LetterError::Nothing("the partner is gone"))?;
    let (sign_type, charset) = dialect::read(notification.dialect);
    let all = [sign_type, SignType::Rsa2, SignType::Md5];
    let signer = all.into_iter().find_map(|sign_type| {
        let keys = entry.keys(sign_type, &app.gateway_key, app.clock.now());
        keys.into_iter().next().map(|pair| pair.signer)
    });
    let signer = signer.ok_or(LetterError::Nothing("the partner has no key left"))?;
    let mut fields = fields(app, &entry.partner, notification, at)?;
    if effect == Some(NotifyEffect::WrongAmount) {
        set(&mut fields, &["total_fee", "return_amount"], |amount| {
            format!("1{amount}")
        });
    }
    let is_forged = effect == Some(NotifyEffect::Forge);
    let is_slow = signer.is_slow();
    let seal = move || {
        if is_forged {
            forged(charset, fields, &signer)
        } else {
            sign(charset, fields, &signer)
        }
    };
    if !is_slow {
        return Ok(seal());
    }
    let _permit = app.slow_signatures.acquire().await;
    let sealed = app.blocking(seal).await;
    sealed.ok_or(LetterError::Nothing("signing failed"))
}

/// The fields without a signature, for pages.
pub(super) fn shown(
    app: &App,
    notification: &Notification,
    at: Timestamp,
) -> Result<BTreeMap<String, String>, LetterError> {
    let snapshot = app.snapshot.load();
    let entry = snapshot.partner(notification.partner);
    let entry = entry.ok_or(LetterError::Nothing("the partner is gone"))?;
    let fields = fields(app, &entry.partner, notification, at)?;
    let owned = |(name, value): (&str, String)| (name.to_owned(), value);
    Ok(fields.into_iter().map(owned).collect())
}

/// Another number, and the signature of another text.
fn forged(charset: Charset, mut fields: Fields, signer: &Signer) -> String {
    let forger = NotifyId::make(&NotifySecret::new(&[0; 32]), 0);
    set(&mut fields, &["notify_id"], |_| forger.to_string());
    let body = sign(charset, fields, signer);
    let other = sign(charset, [("forged", "yes")], signer);
    let (text, seal) = (body.rsplit_once("&sign="), other.rsplit_once("&sign="));
    match (text, seal) {
        (Some((text, _)), Some((_, seal))) => format!("{text}&sign={seal}"),
        _ => other,
    }
}

fn set(fields: &mut Fields, names: &[&str], change: impl Fn(&str) -> String) {
    for (name, value) in fields {
        if names.contains(name) {
            *value = change(value);
        }
    }
}

fn fields(
    app: &App,
    partner: &Partner,
    notification: &Notification,
    at: Timestamp,
) -> Result<Fields, LetterError> {
    let (trade, login, refund) = app.readers.read(|reader| {
        let slot = match reader.trade_key(notification.trade)? {
            Some(key) => reader.slot(&key)?,
            None => None,
        };
        let trade = match slot {
            Some(Slot::Trade(trade)) => Some(trade),
            Some(Slot::Mark(_)) | None => None,
        };
        let wallet = match &trade {
            Some(trade) => reader.wallet(trade.wallet)?,
            None => None,
        };
        let refund = match notification.tidings {
            Tidings::RefundDone(id) => reader.refund_by_id(id)?,
            Tidings::TradePaid | Tidings::TradeClosed => None,
        };
        Ok((trade, wallet.map(|wallet| wallet.login), refund))
    })?;
    let trade = trade.ok_or(LetterError::Nothing("the trade is gone"))?;
    let notify_id = app.notifier.notify_id(notification.id).to_string().into();
    let fields = match (notification.tidings, refund) {
        (Tidings::RefundDone(_), Some(refund)) => {
            owned(refund_fields(&refund_event(notify_id, at, &trade, &refund)))
        }
        (Tidings::RefundDone(_), None) => return Err(LetterError::Nothing("the refund is gone")),
        (Tidings::TradePaid | Tidings::TradeClosed, _) => {
            let end = match notification.tidings {
                Tidings::TradeClosed => TradeEnd::Closed {
                    at: closed_at(&trade),
                },
                Tidings::TradePaid | Tidings::RefundDone(_) => TradeEnd::Paid {
                    at: trade.payment().map(|payment| payment.at),
                },
            };
            let buyer = login.map(|login| buyer(login, trade.wallet));
            owned(trade_fields(&trade_event(
                notify_id,
                at,
                &trade,
                end,
                (partner, buyer),
            )))
        }
    };
    Ok(fields)
}

fn owned(fields: Vec<(&'static str, Cow<'_, str>)>) -> Fields {
    let own = |(name, value): (&'static str, Cow<'_, str>)| (name, value.into_owned());
    fields.into_iter().map(own).collect()
}

fn closed_at(trade: &Trade) -> Option<Timestamp> {
    match trade.state {
        TradeState::Closed { at, .. } => Some(at),
        TradeState::Waiting | TradeState::Paid(_) => None,
    }
}

fn buyer(login: Box<str>, wallet: WalletId) -> Buyer {
    Buyer {
        login_id: login,
        user_id: wallet,
    }
}

fn trade_event(
    notify_id: Box<str>,
    at: Timestamp,
    trade: &Trade,
    end: TradeEnd,
    (partner, buyer): (&Partner, Option<Buyer>),
) -> TradeEvent {
    TradeEvent {
        notify_id,
        notify_time: Some(at),
        out_trade_no: trade.key.id.clone(),
        trade_no: trade.id.into(),
        end,
        amount: trade.amount,
        subject: Some(trade.title.clone()),
        created_at: Some(trade.created_at()),
        buyer,
        seller_id: Some(partner.id),
        seller_email: Some(format!("{}@spotpay.example", partner.name).into()),
        payment_inst: match partner.contract.product {
            Product::Hk => Some(trade.inst),
            Product::Standard => None,
        },
    }
}

fn refund_event(notify_id: Box<str>, at: Timestamp, trade: &Trade, refund: &Refund) -> RefundEvent {
    RefundEvent {
        notify_id,
        notify_time: Some(at),
        out_trade_no: trade.key.id.clone(),
        out_return_no: refund.key.id.clone(),
        trade_no: trade.id.into(),
        amount: refund.amount,
        seller_id: Some(refund.key.partner),
        refunded_at: match refund.state {
            RefundState::Done(moved) => Some(moved.at),
            RefundState::Accepted { .. }
            | RefundState::FundsShort { .. }
            | RefundState::Cancelled { .. } => None,
        },
    }
}
